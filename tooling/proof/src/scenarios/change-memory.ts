import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { startWorker } from '../fixtures/worker.ts'
import type { ChangeMemoryReport } from './change-memory-worker.ts'

export interface ChangeMemoryOptions {
  readonly changes: number
  /** In one transaction, too large to be held, or in many. */
  readonly transactions: number
  /** Limit of the process' old generation, in megabytes. */
  readonly heapMb: number
}

/** Changes pile up before consumers that take none, and are then drained, in a process with a small heap. */
export async function expectChangesInLittleMemory({ changes, transactions, heapMb }: ChangeMemoryOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-proof-'))
  try {
    const path = join(folder, 'app.db')
    using database = new DatabaseSync(path, { timeout: 30_000 })
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE t (id INTEGER PRIMARY KEY, label TEXT, n INT, price REAL)')
    await using worker = startWorker('change-memory-worker.ts', { input: { path, statePath: join(folder, 'state.db'), changes }, execArgv: [`--max-old-space-size=${heapMb}`] })
    await worker.message()
    const size = changes / transactions
    for (let first = 1; first <= changes; first += size) {
      database.exec(`INSERT INTO t WITH RECURSIVE n (i) AS (SELECT ${first} UNION ALL SELECT i + 1 FROM n WHERE i < ${first + size - 1})
        SELECT i, 'a label of some length, number ' || i, i * 7, i / 3.0 FROM n`)
    }
    await worker.message()
    worker.tell('go')
    const report = await worker.message<ChangeMemoryReport>()
    process.stdout.write(`memory with ${changes} pending changes in ${transactions} transactions: ${JSON.stringify(report)}\n`)
    expect(report).toMatchObject({ events: changes, sum: changes * (changes + 1) / 2, disordered: 0, laggard: 'SUBSCRIBER_LAGGED' })
    expect(report.peakHeapMb).toBeLessThan(heapMb)
    expect(await worker.exit).toEqual({ code: 0, signal: null })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
