import { setTimeout as sleep } from 'node:timers/promises'
import type postgres from 'postgres'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf } from '../measure/spread.ts'
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

/** How much a consumer that is stuck in its first change grows while 50 MB wait for it, and that it takes all of it afterwards. */
export const pgPaused: BenchCase = {
  name: 'pg-paused',
  run: (context) => withPostgres(async (stage) => {
    await createMixedPostgres(stage.sql, 0)
    await stage.sql.unsafe(`create publication ${PUBLICATION} for table ${MIXED_TABLE}`)
    const { ours, peer } = await alternate((run) => pause(stage, context, { side: 'ours', run }), (run) => pause(stage, context, { side: 'peer', run }), context.runs)
    return resultOf(context, ours, peer)
  }),
}

interface Growth {
  /** Resident memory before the first change, and with all of them pending. */
  readonly beforeMb: number
  readonly pausedMb: number
  /** The highest while the backlog was taken. */
  readonly peakMb: number
}

async function pause({ url, sql }: PostgresStage, { log }: CaseContext, { side, run }: { readonly side: 'ours' | 'peer'; readonly run: number }): Promise<Growth> {
  await sql.unsafe(`truncate ${MIXED_TABLE}`)
  const slot = `bench_${side}_${run}`
  await sql`select pg_create_logical_replication_slot(${slot}, 'pgoutput')`
  let growth: Growth
  {
    await using consumer = await PausedConsumer.start({ side, url, slot, publication: PUBLICATION, table: MIXED_TABLE })
    const beforeMb = await consumer.rssMb()
    for (let first = 1; first <= ROWS; first += ROWS_A_TRANSACTION) await insertMixedPostgres(sql, { first, last: first + ROWS_A_TRANSACTION - 1 })
    await sendingStops(sql)
    const pausedMb = await consumer.rssMb()
    growth = { beforeMb, pausedMb, peakMb: await consumer.drain(ROWS) }
  }
  log(`pg-paused, ${side} ${run}: ${growth.beforeMb} MB, paused ${growth.pausedMb} MB, at most ${growth.peakMb} MB`)
  await dropSlot(sql, slot)
  return growth
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

function resultOf({ runs }: CaseContext, ours: readonly Growth[], peer: readonly Growth[]): BenchResult {
  const grown = (samples: readonly Growth[]): readonly number[] => samples.map(({ beforeMb, pausedMb }) => pausedMb - beforeMb)
  const [oursSpread, peerSpread] = [spreadOf(grown(ours)), spreadOf(grown(peer))]
  const peak = (samples: readonly Growth[]): number => spreadOf(samples.map(({ peakMb }) => peakMb)).median
  return {
    case: 'pg-paused', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'megabytes', runs, oursSpread, peerSpread,
    peerName: 'pg-logical-replication with flow control', rows: ROWS, detail: { peakRssMb: { ours: peak(ours), peer: peak(peer) } },
  }
}
