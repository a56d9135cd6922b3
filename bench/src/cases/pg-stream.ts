import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ChangeStream } from '@tidemark/core'
import { encodeCheckpoint } from '@tidemark/core/adapter'
import { memoryStateStore } from '@tidemark/core/testing'
import { postgresChanges } from '@tidemark/postgres'
import type postgres from 'postgres'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf } from '../measure/spread.ts'
import { HeapPeak } from '../ours/heap-peak.ts'
import { psqlEnv } from '../process/client-env.ts'
import { requireTool } from '../process/require-tool.ts'
import { runProcess } from '../process/run-process.ts'
import type { BenchResult } from '../result.ts'
import { createMixedPostgres, insertMixedPostgres } from '../tables/mixed-postgres.ts'
import { MIXED_TABLE } from '../tables/mixed-table.ts'
import type { BenchCase, CaseContext } from './case.ts'
import { withPostgres, type PostgresStage } from './with-postgres.ts'

const MAX_ROWS = 350_000
const ROWS_A_TRANSACTION = 1_000
/** The slot that all others are copies of: it stands before the first row. */
const FIRST_SLOT = 'bench_first'
const PUBLICATION = 'bench'
/** Each of these transactions is sent in pieces. */
const EARLY = encodeURIComponent('-c logical_decoding_work_mem=64kB')

/** A backlog of inserts from a slot to a durable subscriber's handler, as typed events. The peer writes the plugin's bytes to a file. */
export const pgStream: BenchCase = {
  name: 'pg-stream',
  run: (context) => withPostgres(async (stage) => {
    const rows = Math.min(context.rows, MAX_ROWS)
    await prepare(stage.sql, rows)
    const heap = new HeapPeak()
    const { ours, peer } = await alternate((run) => drain(stage, context, { rows, run, isEarly: false }), (run) => receive(stage, context, run), context.runs)
    const memory = heap.stop()
    const early: number[] = []
    for (let run = 0; run < context.runs; run += 1) early.push(await drain(stage, context, { rows, run: context.runs + run, isEarly: true }))
    return resultOf(context, { rows, ours, peer, early, memory })
  }),
}

async function prepare(sql: postgres.Sql, rows: number): Promise<void> {
  await createMixedPostgres(sql, 0)
  await sql.unsafe(`create publication ${PUBLICATION} for table ${MIXED_TABLE}`)
  await sql`select pg_create_logical_replication_slot(${FIRST_SLOT}, 'pgoutput')`
  for (let first = 1; first <= rows; first += ROWS_A_TRANSACTION) await insertMixedPostgres(sql, { first, last: Math.min(rows, first + ROWS_A_TRANSACTION - 1) })
}

async function drain({ url, sql }: PostgresStage, { log }: CaseContext, { rows, run, isEarly }: { readonly rows: number; readonly run: number; readonly isEarly: boolean }): Promise<number> {
  const slot = await copySlot(sql, `bench_ours_${run}`)
  const begin = performance.now()
  const source = postgresChanges({ url: isEarly ? `${url}?options=${EARLY}` : url, slot, publication: PUBLICATION, tables: [MIXED_TABLE], streaming: isEarly })
  const from = await firstPosition(source)
  {
    await using stream = new ChangeStream({ source, checkpoints: memoryStateStore() })
    let events = 0
    await new Promise<void>((resolve, reject) => {
      const subscribed = stream.subscribe({ id: 'drain', startAt: from }, (batch) => {
        events += batch.events.length
        if (events >= rows) resolve()
      })
      subscribed.then((subscription) => subscription.done).catch(reject)
    })
    log(`pg-stream, ours ${run}${isEarly ? ' with streaming' : ''}: ${round((performance.now() - begin) / 1_000)} s`)
  }
  const seconds = (performance.now() - begin) / 1_000
  await sql`select pg_drop_replication_slot(${slot})`
  return seconds
}

/** Where the slot stands, as a checkpoint. */
async function firstPosition(source: ReturnType<typeof postgresChanges>): Promise<string> {
  await using connection = await source.connect()
  const position = await connection.retained('bench')
  if (position === undefined) throw new Error('The slot is gone.')
  return encodeCheckpoint({ source: source.name, position, snapshot: null })
}

/** With the stop of the stream on both sides, as with its start. */
async function receive({ url, sql }: PostgresStage, { folder, log }: CaseContext, run: number): Promise<number> {
  const slot = await copySlot(sql, `bench_peer_${run}`)
  const [end] = await sql`select pg_current_wal_insert_lsn()::text as lsn`
  const file = join(folder, 'received')
  const args = ['--slot', slot, '--start', '--no-loop', '--file', file, '--endpos', String(end?.['lsn']), '-o', 'proto_version=1', '-o', `publication_names=${PUBLICATION}`, '-d', new URL(url).pathname.slice(1)]
  const { seconds } = await runProcess({ command: requireTool('pg_recvlogical'), args, env: psqlEnv(url) })
  const { size } = await stat(file)
  log(`pg-stream, peer ${run}: ${round(seconds)} s, ${size} bytes`)
  await rm(file)
  await sql`select pg_drop_replication_slot(${slot})`
  return seconds
}

async function copySlot(sql: postgres.Sql, name: string): Promise<string> {
  await sql`select pg_copy_logical_replication_slot(${FIRST_SLOT}, ${name})`
  return name
}

interface Measured {
  readonly rows: number
  readonly ours: readonly number[]
  readonly peer: readonly number[]
  /** Ours with `streaming`. */
  readonly early: readonly number[]
  readonly memory: { readonly heapMb: number; readonly rssMb: number }
}

function resultOf({ runs }: CaseContext, { rows, ours, peer, early, memory }: Measured): BenchResult {
  const [oursSpread, peerSpread] = [spreadOf(ours), spreadOf(peer)]
  return {
    case: 'pg-stream', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'seconds', runs, oursSpread, peerSpread,
    peerName: 'pg_recvlogical > file', rows, rowsPerSecond: Math.round(rows / oursSpread.median), heapMb: memory.heapMb, rssMb: memory.rssMb,
    detail: { withStreamingSeconds: spreadOf(early) },
  }
}
