import { PgoutputPlugin } from 'pg-logical-replication'
import type postgres from 'postgres'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf } from '../measure/spread.ts'
import { streamDecoder } from '../ours/stream-decoder.ts'
import type { BenchResult } from '../result.ts'
import { createMixedPostgres, insertMixedPostgres } from '../tables/mixed-postgres.ts'
import { MIXED_TABLE } from '../tables/mixed-table.ts'
import type { BenchCase } from './case.ts'
import { withPostgres } from './with-postgres.ts'

const MAX_ROWS = 200_000
const ROWS_A_TRANSACTION = 1_000
const SLOT = 'bench_decode'
const PUBLICATION = 'bench'

/**
 * What a server sends for inserts, updates and deletes, recorded and decoded in memory. Ours gives slices of typed events; the peer's parser gives an object a
 * message, with the values as `pg` makes them, and no transactions.
 */
export const pgDecode: BenchCase = {
  name: 'pg-decode',
  run: (context) => withPostgres(async ({ url, sql }) => {
    const messages = await record(sql, Math.min(context.rows, MAX_ROWS))
    const decode = await streamDecoder({ url, table: MIXED_TABLE, messages })
    const events = parse(messages)
    const { ours, peer } = await alternate(() => timed(() => decode(messages), events), () => timed(() => parse(messages), events), context.runs)
    const [oursSpread, peerSpread] = [spreadOf(ours), spreadOf(peer)]
    const result: BenchResult = {
      case: 'pg-decode', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'seconds', runs: context.runs, oursSpread, peerSpread,
      peerName: 'pg-logical-replication, its parser', rows: events, rowsPerSecond: Math.round(events / oursSpread.median),
      detail: { messages: messages.length, bytes: messages.reduce((sum, message) => sum + message.length, 0) },
    }
    return result
  }),
}

async function record(sql: postgres.Sql, rows: number): Promise<readonly Buffer[]> {
  await createMixedPostgres(sql, 0)
  await sql.unsafe(`create publication ${PUBLICATION} for table ${MIXED_TABLE}`)
  await sql`select pg_create_logical_replication_slot(${SLOT}, 'pgoutput')`
  for (let first = 1; first <= rows; first += ROWS_A_TRANSACTION) {
    const last = Math.min(rows, first + ROWS_A_TRANSACTION - 1)
    await insertMixedPostgres(sql, { first, last })
    await sql.unsafe(`update ${MIXED_TABLE} set quantity = quantity + 1 where id between ${first} and ${last} and id % 4 = 0`)
    await sql.unsafe(`delete from ${MIXED_TABLE} where id between ${first} and ${last} and id % 8 = 0`)
  }
  const recorded = await sql<{ readonly data: Buffer }[]>`select data from pg_logical_slot_peek_binary_changes(${SLOT}, null, null, 'proto_version', '1', 'publication_names', ${PUBLICATION})`
  await sql`select pg_drop_replication_slot(${SLOT})`
  return recorded.map(({ data }) => data)
}

function parse(messages: readonly Buffer[]): number {
  const plugin = new PgoutputPlugin({ protoVersion: 1, publicationNames: [PUBLICATION] })
  let events = 0
  for (const message of messages) {
    const { tag } = plugin.parse(message)
    if (tag === 'insert' || tag === 'update' || tag === 'delete') events += 1
  }
  return events
}

/** Seconds. Both must see the same number of changes. */
function timed(work: () => number, expected: number): Promise<number> {
  const begin = performance.now()
  const events = work()
  const seconds = (performance.now() - begin) / 1_000
  if (events !== expected) throw new Error(`Saw ${events} changes of ${expected}.`)
  return Promise.resolve(seconds)
}
