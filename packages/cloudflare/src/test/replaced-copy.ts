import type { Commit, TargetTable } from '@tidemark/core/adapter'
import { codeOf, type ScenarioHost } from './scenario-host.ts'

const CHILD = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, item INTEGER REFERENCES items (id) ON DELETE CASCADE)'

const ITEMS: TargetTable = {
  name: 'items', key: ['id'], indexes: [], enforceUniques: false, deletedAtColumn: undefined, origin: 'memory:items',
  columns: [{ name: 'id', ordinal: 1, sourceType: 'bigint', logicalType: 'integer', storage: 'integer', nullable: false, scale: 0, onUnrepresentable: 'error' }],
}

/**
 * A complete copy takes the place of one that a table of the application's refers to, with a row that goes where its own goes. Gives the code and the rows that are left of that
 * table. `isLate`: it is made only when it has been looked for.
 */
export async function replacedCopy(host: ScenarioHost, { isLate }: { readonly isLate: boolean }): Promise<unknown> {
  await using connection = await (isLate ? host.interrupted('pragma_foreign_key_list', CHILD) : host).target().connect({ tablePrefix: 'tidemark_' })
  await connection.ledger.saveReplication({ name: 'copy', sourceAddress: 'memory', sourceTable: 'items', targetTable: 'items', trackingColumn: 'id', syncIntervalMinutes: undefined, isActive: true }, 0)
  const fence = await connection.ledger.acquireLease({ lease: 'sync', holder: 'first', nowMs: 0, ttlMs: 60_000 })
  if (fence === undefined) throw new Error('The lease is held.')
  const commit: Commit = { fence, checkpoint: { name: 'copy', state: 'some', lastSyncAtMs: undefined, lastSyncValue: undefined } }
  await connection.createTable(ITEMS, commit)
  await connection.apply({ table: ITEMS, upserts: [[1], [2]], deletes: [], atMs: 0 }, commit)
  if (!isLate) await host.run(CHILD, 'INSERT INTO notes VALUES (10, 1), (11, 2)')
  const load = await connection.openLoad(ITEMS, { resume: false, fence })
  for (const id of [1, 2]) {
    load.integer(id)
    load.endRow()
  }
  await load.commit(commit)
  const code = await codeOf(connection.publishLoad(ITEMS, commit))
  return [code, await host.rows('SELECT id, item FROM notes ORDER BY id')]
}
