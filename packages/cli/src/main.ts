#!/usr/bin/env node
import { processHost } from './host.ts'
import { run } from './run.ts'

// Overwrites the arguments that `ps` shows: a URL given on the command line holds a password.
process.title = 'tidemark'
process.exitCode = await run(processHost())
