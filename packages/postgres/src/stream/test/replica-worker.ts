import { ChangeStream } from '@tidemark/core'
import { decodeCheckpoint } from '@tidemark/core/adapter'
import { fileSpool, nodeSqliteChangeTarget } from '@tidemark/node'
import postgres from 'postgres'
import { polledPostgresChanges } from '../polled-postgres-changes.ts'
import { postgresChanges } from '../postgres-changes.ts'

/** A process that keeps a copy of the table `items` until it has all rows, of which the one with the id 2,000,000 was written last. It may be killed at any moment. */
const [url = '', slot = '', path = '', mode = ''] = process.argv.slice(2)
const isPolled = mode === 'polled'
const sql = postgres(url, { max: 2, onnotice: () => undefined })

const target = nodeSqliteChangeTarget({
  id: 'replica', path,
  setup: (transaction) => transaction.run('CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, n INTEGER, note TEXT)').then(() => transaction.run('CREATE TABLE IF NOT EXISTS seen (event TEXT PRIMARY KEY)')),
})
const from = await target.checkpoint()
const source = isPolled
  ? polledPostgresChanges({ execute: (text, parameters) => sql.unsafe(text, [...parameters]), slot, tables: ['items'], pollIntervalMs: 5, maxPollIntervalMs: 20, maxPollRows: 70 })
  : postgresChanges({ url, slot, tables: ['items'], snapshotAgeMs: 200, streaming: mode === 'streaming' && { memoryBytes: 1 << 20, spool: fileSpool() } })
const stream = new ChangeStream({ source, instance: slot, snapshot: isPolled ? 'none' : 'initial', batch: { events: 40 }, retry: { baseMs: 20, maxMs: 200 } })
let isMarked = false
const apply = target.handler(async ({ events }, transaction) => {
  for (const event of events) {
    const id = event.key?.['id'] ?? null
    const was = event.before?.['id'] ?? null
    // A change that took effect before would be a second row, and fail.
    if (event.op !== 'snapshot') await transaction.run('INSERT INTO seen VALUES (?)', [event.id])
    if (event.op === 'update' && was !== id) await transaction.run('DELETE FROM items WHERE id = ?', [was])
    if (event.op === 'delete') await transaction.run('DELETE FROM items WHERE id = ?', [id])
    else if (event.after !== null) await transaction.run('INSERT OR REPLACE INTO items VALUES (?, ?, ?)', [id, event.after['n'] ?? null, event.after['note'] ?? null])
    if (id === 2_000_000) isMarked = true
  }
})
await new Promise<void>((resolve, reject) => {
  const handle: typeof apply = async (batch) => {
    await apply(batch)
    process.stdout.write(`${batch.events.length}\n`)
    // The row may come from the log while others of the snapshot are still to come.
    if (isMarked && batch.checkpoint !== null && decodeCheckpoint(batch.checkpoint).snapshot === null) resolve()
  }
  stream.subscribe({ id: 'replica', from: from ?? null }, handle).then((subscription) => subscription.done, reject).catch(reject)
})
await stream.stop()
await target[Symbol.asyncDispose]()
await sql.end({ timeout: 1 })
process.stdout.write('completed\n')
