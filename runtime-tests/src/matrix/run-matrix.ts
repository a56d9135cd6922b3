import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '@tidemark/test-servers'
import { bundleHosts } from './bundle-hosts.ts'
import { installPacked } from './install-packed.ts'
import { CAPABILITIES } from './capability.ts'
import { judge } from './judge.ts'
import { PROCESS_RUNTIMES, type MatrixRuntimeName } from './matrix-runtime.ts'
import { publishedEntries } from './published-entries.ts'
import { tableOf, type Column } from './table-of.ts'
import { tellInProcess } from './tell-in-process.ts'
import { tellInWorker } from './tell-in-worker.ts'
import type { ToldStory } from './told.ts'

/** Installs the packages as they are published, has each runtime tell the story with them, and prints what came of it. `false`: there is a gap. */
async function main(): Promise<boolean> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tidemark-matrix-')))
  try {
    await using server = await startPostgres({ version: '18' })
    await installPacked(folder)
    await bundleHosts(folder)
    const tellers: readonly Teller[] = [
      ...PROCESS_RUNTIMES.map((runtime): Teller => ({ name: runtime.name, tell: (url) => tellInProcess(runtime, folder, url) })),
      { name: 'workerd', tell: (url) => tellInWorker(folder, url) },
    ]
    const columns: Column[] = []
    for (const teller of tellers) {
      await using database = await server.createDatabase()
      columns.push(await columnOf(teller, database.url))
    }
    process.stdout.write(tableOf(columns))
    return columns.every(({ verdicts }) => verdicts.every(({ gaps }) => gaps.length === 0))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Teller {
  readonly name: MatrixRuntimeName
  tell(postgresUrl: string): Promise<ToldStory>
}

async function columnOf({ name, tell }: Teller, postgresUrl: string): Promise<Column> {
  try {
    const { version, chapters } = await tell(postgresUrl)
    return { title: `${name} (${version})`, verdicts: judge(name, chapters, publishedEntries()) }
  } catch (error) {
    // Said once: nothing is known of the others either.
    const gapOf = (index: number): string => (index === 0 ? `and all else: the story was not told to its end. ${String(error)}` : 'was not told.')
    return { title: name, verdicts: CAPABILITIES.map((capability, index) => ({ capability, parts: 0, passed: 0, lacks: [], gaps: [gapOf(index)] })) }
  }
}

process.exitCode = await main() ? 0 : 1
