import { expect } from 'vitest'
import type { ExportConnection } from '@tidemark/core/adapter'
import type { TestDatabase } from '../../test/test-database.ts'
import { ACCOUNTS, checksum, generator, makeBank, transfer } from './bank.ts'
import { ALL, readDump, RENDER } from './dump.ts'

export interface UnderWrites {
  readonly database: TestDatabase
  readonly connection: ExportConnection
  readonly rounds: number
  readonly seed: number
  /** Loads a dump with the engine's shell into a database that lives as long as `use`. */
  readonly restored: (sql: Buffer, use: (copy: TestDatabase) => Promise<void>) => Promise<void>
}

/** Exports a bank again and again while money moves: each dump is the database as it was when its view was made. */
export async function exportsUnderWrites({ database, connection, rounds, seed, restored }: UnderWrites): Promise<void> {
  await makeBank(database.writer)
  const random = generator(seed)
  for (let round = 0; round < rounds; round++) {
    const ref = await connection.createView({ viewId: `v${round}`, consistency: 'snapshot', selection: ALL })
    const [before] = await database.writer.query({ sql: 'SELECT * FROM account ORDER BY id', rowsAsArray: true })
    const view = await connection.openView({ ref, selection: ALL, render: { ...RENDER, maxStatementBytes: 1000 } })
    for (let i = 0; i < 5; i++) await transfer(database.writer, random)
    let isDone = false
    const churn = (async () => {
      while (!isDone) await transfer(database.writer, random)
    })()
    const sql = await readDump(view, () => 1 + random(4000))
    isDone = true
    await churn
    expect((await readDump(view)).equals(sql), 'read again').toBe(true)
    await restored(sql, async (copy) => {
      expect(await checksum(copy)).toEqual([[ACCOUNTS * 100, ACCOUNTS * 100, 0, 0]])
      const [after] = await copy.writer.query({ sql: 'SELECT * FROM account ORDER BY id', rowsAsArray: true })
      expect(after).toEqual(before)
    })
    await connection.dropView(ref)
  }
}
