import { setTimeout as sleep } from 'node:timers/promises'
import type postgres from 'postgres'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf, type Spread } from '../measure/spread.ts'
import { PausedConsumer } from '../process/paused-consumer.ts'
import type { BenchResult } from '../result.ts'
import { createMixedPostgres, insertMixedPostgres } from '../tables/mixed-postgres.ts'
import { MIXED_TABLE } from '../tables/mixed-table.ts'
import type { BenchCase, CaseContext } from './case.ts'
import { withPostgres, type PostgresStage } from './with-postgres.ts'

/** About 200 bytes each in the log as the plugin sends it: 50 MB. */
const ROWS = 260_000
const ROWS_A_TRANSACTION = 1_000
const PUBLICATION = 'bench'
/** The server has filled all buffers on the way once it has sent nothing new for so long. */
const AT_REST_MS = 1_000

/** Resident memory of a consumer that is stuck in its first change while 50 MB wait for it, and then 100; that it takes all of it afterwards. */
export const pgPaused: BenchCase = {
  name: 'pg-paused',
  run: (context) => withPostgres(async (stage) => {
    await createMixedPostgres(stage.sql, 0)
    await stage.sql.unsafe(`create publication ${PUBLICATION} for table ${MIXED_TABLE}`)
    const { ours, peer } = await alternate((run) => pause(stage, context, { side: 'ours', run }), (run) => pause(stage, context, { side: 'peer', run }), context.runs)
    return resultOf(context, ours, peer)
  }),
}

interface Memory {
  /** Resident before the first change, with 50 MB pending, and with 100. */
  readonly beforeMb: number
  readonly pausedMb: number
  readonly twiceMb: number
  /** The highest while the backlog was taken. */
  readonly peakMb: number
}

async function pause({ url, sql }: PostgresStage, { log }: CaseContext, { side, run }: { readonly side: 'ours' | 'peer'; readonly run: number }): Promise<Memory> {
  await sql.unsafe(`truncate ${MIXED_TABLE}`)
  const slot = `bench_${side}_${run}`
  await sql`select pg_create_logical_replication_slot(${slot}, 'pgoutput')`
  let memory: Memory
  {
    await using consumer = await PausedConsumer.start({ side, url, slot, publication: PUBLICATION, table: MIXED_TABLE })
    const beforeMb = await consumer.rssMb()
    const pausedMb = await leaveWaiting(sql, consumer, 1)
    const twiceMb = await leaveWaiting(sql, consumer, ROWS + 1)
    memory = { beforeMb, pausedMb, twiceMb, peakMb: await consumer.drain(2 * ROWS) }
  }
  log(`pg-paused, ${side} ${run}: ${memory.beforeMb} MB, 50 MB pending ${memory.pausedMb} MB, 100 MB pending ${memory.twiceMb} MB, at most ${memory.peakMb} MB`)
  await dropSlot(sql, slot)
  return memory
}

/** Resident memory with so many rows more pending. */
async function leaveWaiting(sql: postgres.Sql, consumer: PausedConsumer, from: number): Promise<number> {
  for (let first = from; first < from + ROWS; first += ROWS_A_TRANSACTION) await insertMixedPostgres(sql, { first, last: first + ROWS_A_TRANSACTION - 1 })
  await sendingStops(sql)
  return consumer.rssMb()
}

async function sendingStops(sql: postgres.Sql): Promise<void> {
  let before = ''
  for (;;) {
    const [sender] = await sql<{ readonly sent: string }[]>`select coalesce(max(sent_lsn)::text, '') as sent from pg_stat_replication`
    if (sender !== undefined && sender.sent !== '' && sender.sent === before) return
    before = sender?.sent ?? ''
    await sleep(AT_REST_MS)
  }
}

/** The server notices that a killed consumer is gone when it next sends to it. */
async function dropSlot(sql: postgres.Sql, slot: string): Promise<void> {
  await sql`select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = ${slot} and active`
  for (;;) {
    const dropped = await sql`select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${slot} and not active`
    if (dropped.length > 0) return
    await sleep(50)
  }
}

function resultOf({ runs }: CaseContext, ours: readonly Memory[], peer: readonly Memory[]): BenchResult {
  const spread = (samples: readonly Memory[], name: keyof Memory): Spread => spreadOf(samples.map((memory) => memory[name]))
  const [oursSpread, peerSpread] = [spread(ours, 'pausedMb'), spread(peer, 'pausedMb')]
  const medians = (name: keyof Memory): { readonly ours: number; readonly peer: number } => ({ ours: spread(ours, name).median, peer: spread(peer, name).median })
  return {
    case: 'pg-paused', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'megabytes', runs, oursSpread, peerSpread,
    peerName: 'pg-logical-replication with flow control', rows: 2 * ROWS, detail: { before: medians('beforeMb'), twicePending: medians('twiceMb'), peak: medians('peakMb') },
  }
}
