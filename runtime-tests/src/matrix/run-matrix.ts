import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '@tidemark/test-servers'
import { bundleHosts } from './bundle-hosts.ts'
import { installPacked } from './install-packed.ts'
import { CAPABILITIES } from './capability.ts'
import { judge } from './judge.ts'
import { PROCESS_RUNTIMES, type ProcessRuntime } from './matrix-runtime.ts'
import { publishedEntries } from './published-entries.ts'
import { tableOf, type Column } from './table-of.ts'
import { tellInProcess } from './tell-in-process.ts'

/** Installs the packages as they are published, has each runtime tell the story with them, and prints what came of it. `false`: there is a gap. */
async function main(): Promise<boolean> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tidemark-matrix-')))
  try {
    await using server = await startPostgres({ version: '18' })
    await installPacked(folder)
    await bundleHosts(folder)
    const columns: Column[] = []
    for (const runtime of PROCESS_RUNTIMES) {
      await using database = await server.createDatabase()
      columns.push(await columnOf(runtime, folder, database.url))
    }
    process.stdout.write(tableOf(columns))
    return columns.every(({ verdicts }) => verdicts.every(({ gaps }) => gaps.length === 0))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function columnOf(runtime: ProcessRuntime, folder: string, postgresUrl: string): Promise<Column> {
  try {
    const { version, chapters } = await tellInProcess(runtime, folder, postgresUrl)
    return { title: `${runtime.name} (${version})`, verdicts: judge(runtime.name, chapters, publishedEntries()) }
  } catch (error) {
    const gaps = [`was not told to its end: ${String(error)}`]
    return { title: runtime.name, verdicts: CAPABILITIES.map((capability) => ({ capability, parts: 0, passed: 0, lacks: [], gaps })) }
  }
}

process.exitCode = await main() ? 0 : 1
