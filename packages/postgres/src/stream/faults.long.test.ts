import { ChangeStream } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { startFaultProxy } from '@tidemark/test-servers'
import { postgresForTests } from '@tidemark/test-servers/vitest'
import { expect, it } from 'vitest'
import { postgresChanges } from './postgres-changes.ts'
import { makeDatabase } from './test/stream-database.ts'
import { Replica } from './test/replica.ts'
import { startWriters } from './test/writers.ts'

const CUTS = 300
const TABLES = ['first', 'second']

it(`a copy is the same after ${CUTS} connections were cut, refused or stalled`, { timeout: 600_000 }, async () => {
  const seed = Number(process.env['TIDEMARK_FAULT_SEED'] ?? Date.now() % 1_000_000)
  process.stdout.write(`stream faults: TIDEMARK_FAULT_SEED=${seed}\n`)
  const server = await postgresForTests()
  await using database = await makeDatabase(server)
  const { sql } = database
  for (const table of TABLES) await sql.unsafe(`CREATE TABLE ${table} (id int4 PRIMARY KEY, n int4, note text); INSERT INTO ${table} SELECT i, 0, 'start' FROM generate_series(1, 2000) i`)
  await using proxy = await startFaultProxy({ target: server, seed, plan: { kinds: ['reset', 'refuse', 'fragment', 'delay', 'stall'], share: 0.7, bytes: [300, 262_144] } })
  const url = `${proxy.through(database.url)}?options=${encodeURIComponent('-c wal_sender_timeout=1500')}`
  const source = postgresChanges({ url, slot: database.slot, tables: TABLES, snapshotAgeMs: 500, queryTimeoutMs: 1_500, connectTimeoutMs: 1_500 })
  await using stream = new ChangeStream({ source, checkpoints: memoryStateStore(), snapshot: 'initial', batch: { events: 100 }, retry: { baseMs: 5, maxMs: 50 } })
  const codes = new Set<string>()
  stream.on('error', ({ error }) => void codes.add(error.code))
  const writers = startWriters(sql, { tables: TABLES, seed, writers: 2 })
  const replica = new Replica()
  let isComplete = false
  let isMarked = false
  let batches = 0
  let wake = (): void => undefined
  stream.on('snapshot', ({ phase }) => {
    if (phase === 'completed') isComplete = true
    wake()
  })
  const subscription = await stream.subscribe({ id: 'replica' }, async (batch) => {
    replica.apply(batch.events)
    isMarked ||= batch.events.some(({ key }) => key?.['id'] === 2_000_000)
    batches += 1
    wake()
    // A connection that nothing happens to is cut too, so that the end comes.
    if (cutsOf(proxy) < CUTS && batches % 20 === 0) proxy.cutAll()
  })
  const until = async (predicate: () => boolean): Promise<void> => {
    while (!predicate()) await Promise.race([new Promise<void>((resolve) => { wake = resolve }), subscription.done])
  }
  await until(() => cutsOf(proxy) >= CUTS)
  await writers.stop()
  proxy.setPlan('none')
  proxy.cutAll()
  await sql.unsafe('INSERT INTO second VALUES (2000000, 0, \'mark\')')
  // The mark may come from the log while rows of the snapshot are still to come.
  await until(() => isMarked && isComplete)
  for (const table of TABLES) expect(replica.rows(table)).toEqual((await sql.unsafe(`SELECT id, n, note FROM ${table} ORDER BY id`)).map((row) => JSON.stringify(row)))
  expect(replica.regressions).toEqual([])
  process.stdout.write(`stream faults: ${JSON.stringify(proxy.counts)}, codes ${[...codes].toSorted().join(' ')}\n`)
})

function cutsOf({ counts }: { readonly counts: Readonly<Record<'reset' | 'refuse' | 'stall', number>> }): number {
  return counts.reset + counts.refuse + counts.stall
}
