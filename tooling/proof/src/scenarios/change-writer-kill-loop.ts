import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { ChangeStream } from '@tidemark/core'
import { nodeSqliteStateStore, sqliteChanges } from '@tidemark/node'
import { ChangeAuditor } from '../fixtures/change-auditor.ts'
import { integrityOf } from '../fixtures/change-cells.ts'
import { ChangeCopy, readJournal } from '../fixtures/change-copy.ts'
import { CHANGE_TABLE_NAMES, createChangeTables, differingTables } from '../fixtures/change-workload.ts'
import { startChangeWriters } from '../fixtures/change-writers.ts'
import { checkJournal, type JournalReport } from '../fixtures/journal-faults.ts'

export interface WriterKillOptions {
  readonly kills: number
  readonly rows: number
  readonly random: () => number
}

export interface WriterKillOutcome extends JournalReport {
  readonly kills: number
  /** Kills just before which the database was locked by a transaction: most of them fell into it. */
  readonly uncommitted: number
  readonly differing: readonly string[]
  /** What `PRAGMA integrity_check` said, once each. */
  readonly integrity: readonly string[]
}

const MAX_LIFE_MS = 60
const END = 'the end'

/**
 * Processes that write large transactions are killed one after the other, while this one follows the changes. What a killed one had not
 * committed must never be seen, and what it had must.
 */
export async function writerKillLoop({ kills, rows, random }: WriterKillOptions): Promise<WriterKillOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-proof-'))
  try {
    const [path, copyPath] = [join(folder, 'app.db'), join(folder, 'copy.db')]
    createChangeTables(path, rows)
    using copy = new ChangeCopy(copyPath, 1)
    await using auditor = await ChangeAuditor.open(path)
    await using checkpoints = nodeSqliteStateStore({ path: join(folder, 'state.db') })
    await using stream = new ChangeStream({
      source: sqliteChanges({ path }, { tables: CHANGE_TABLE_NAMES, name: 'app', integers: 'bigint', busyTimeoutMs: 30_000 }), snapshot: 'initial', checkpoints,
    })
    let finish = (): void => undefined
    const finished = new Promise<void>((resolve) => { finish = resolve })
    const subscription = await stream.subscribe({ id: 'copy' }, (batch) => {
      copy.apply(batch)
      if (batch.events.some(({ table, after }) => table === 'codes' && after?.['code'] === END)) finish()
    })
    const integrity = new Set<string>()
    let uncommitted = 0
    for (let kill = 0; kill < kills; kill += 1) {
      if (await killWriter({ path, rows, random })) uncommitted += 1
      integrity.add(integrityOf(path))
      await auditor.collect()
    }
    writeEnd(path)
    await Promise.race([finished, subscription.done])
    await stream.stop()
    await auditor.collect()
    const report = checkJournal({ journal: readJournal(copyPath), audited: auditor.events, checkpoints: new Map() })
    return { ...report, kills, uncommitted, integrity: [...integrity], differing: differingTables({ source: path, copy: copyPath, tables: CHANGE_TABLE_NAMES }) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Tells whether the writer was in a transaction. */
async function killWriter({ path, rows, random }: Omit<WriterKillOptions, 'kills'> & { readonly path: string }): Promise<boolean> {
  const [writer] = await startChangeWriters({ path, random, count: 1, keys: Math.ceil(rows * 1.3), pauseMs: 0, statements: 200 })
  if (writer === undefined) throw new Error('No writer was started.')
  await setTimeout(random() * MAX_LIFE_MS)
  const isWriting = isLocked(path)
  writer.process.kill('SIGKILL')
  await writer.exit
  return isWriting
}

function isLocked(path: string): boolean {
  using database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK')
    return false
  } catch {
    return true
  }
}

function writeEnd(path: string): void {
  using database = new DatabaseSync(path, { timeout: 30_000 })
  database.exec(`UPDATE clock SET v = v + 1; INSERT INTO codes SELECT '${END}', NULL, v FROM clock`)
}
