#!/usr/bin/env node
import { EXIT } from './exit-code.ts'
import { processHost } from './host.ts'
import { run } from './run.ts'

// Overwrites the arguments that `ps` shows: a URL given on the command line holds a password.
process.title = 'tidemark'
// A reader that has gone, such as `head`, is no fault of ours; what is committed stays.
process.stdout.on('error', () => process.exit(EXIT.interrupted))
process.exitCode = await run(processHost())
