import { DatabaseSync } from 'node:sqlite'
import { ChangeStream, type ChangeStreamEvents } from '@tidemark/core'
import { decodeCheckpoint } from '@tidemark/core/adapter'
import { describe, expect, it } from 'vitest'
import { nodeSqliteStateStore } from './node-sqlite-state-store.ts'
import { sqliteChanges } from './sqlite-changes.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()

describe('a subscriber that has nothing of a large transaction', () => {
  it('is never said to stand inside of it', async () => {
    using database = new DatabaseSync(path('data.db'))
    database.exec('PRAGMA journal_mode = WAL; CREATE TABLE a (id INTEGER PRIMARY KEY, x); CREATE TABLE b (id INTEGER PRIMARY KEY, x)')
    await using checkpoints = nodeSqliteStateStore({ path: path('state.db') })
    await using stream = new ChangeStream({
      source: sqliteChanges(database, { tables: ['a', 'b'], pollIntervalMs: 5 }), checkpoints, batch: { events: 20 }, heartbeatIntervalMs: 1,
    })
    const errors: ChangeStreamEvents['error'][] = []
    stream.on('error', (error) => errors.push(error))
    const details: string[] = []
    // Each turn of the upkeep saves; each is looked at.
    stream.on('heartbeat', async () => {
      const stored = await checkpoints.get('stream/default/sqlite/b')
      if (stored !== undefined) details.push(decodeCheckpoint(stored.value).position.detail.slice(0, 1))
    })
    await new Promise<void>((resolve) => {
      void stream.subscribe({ id: 'b', tables: ['b'] }, () => resolve()).then(() => {
        database.exec('BEGIN; WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO a SELECT i, i FROM n; INSERT INTO b VALUES (1, 1); COMMIT')
      })
    })
    await stream.stop()
    expect(errors).toEqual([])
    expect(details.length).toBeGreaterThan(3)
    expect([...new Set(details)]).toEqual(['d'])
  })
})
