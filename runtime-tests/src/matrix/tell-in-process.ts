import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { ProcessRuntime } from './matrix-runtime.ts'
import type { ToldStory } from './told.ts'

/** Of a whole story; each takes a few seconds. */
const TIMEOUT_MS = 120_000

/** Has a runtime tell the story in a process of its own. `folder` has the installed packages and the bundled hosts. */
export async function tellInProcess(runtime: ProcessRuntime, folder: string, postgresUrl: string): Promise<ToldStory> {
  const [command, ...args] = await runtime.command()
  const own = join(folder, `story-${runtime.name.toLowerCase().replace(' ', '-')}`)
  mkdirSync(own)
  const env = { ...process.env, NODE_OPTIONS: '', STORY_FOLDER: own, STORY_POSTGRES_URL: postgresUrl, STORY_ENTRIES: pathToFileURL(join(folder, 'entries.mjs')).href }
  const { stdout } = await promisify(execFile)(command, [...args, join(folder, `${runtime.host}.mjs`)], { cwd: folder, env, timeout: TIMEOUT_MS, maxBuffer: 16 * 1_048_576 })
  return JSON.parse(stdout) as ToldStory // as the host wrote it
}
