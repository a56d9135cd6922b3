import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { ChangeStream } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { postgresChanges } from '@tidemark/postgres'
import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication'
import type postgres from 'postgres'
import { alternate } from '../measure/alternate.ts'
import { Arrivals } from '../measure/arrivals.ts'
import { round, spreadOf } from '../measure/spread.ts'
import type { BenchResult } from '../result.ts'
import { createMixedPostgres, insertMixedPostgres } from '../tables/mixed-postgres.ts'
import { MIXED_TABLE } from '../tables/mixed-table.ts'
import type { BenchCase, CaseContext } from './case.ts'
import { withPostgres, type PostgresStage } from './with-postgres.ts'

const COMMITS = 500
/** Fifty commits a second: neither side ever has two to deliver at once. */
const PAUSE_MS = 20
const PUBLICATION = 'bench'

/** From sending an insert of one row, its commit included, until a durable subscriber's handler has it; the bare client gives what it parsed to a listener and keeps no checkpoint. */
export const pgLatency: BenchCase = {
  name: 'pg-latency',
  run: (context) => withPostgres(async (stage) => {
    await createMixedPostgres(stage.sql, 0)
    await stage.sql.unsafe(`create publication ${PUBLICATION} for table ${MIXED_TABLE}`)
    let last = 0
    const { ours, peer } = await alternate((run) => follow(stage, context, { run, first: (last += COMMITS) }), (run) => listen(stage, context, { run, first: (last += COMMITS) }), context.runs)
    return resultOf(context, ours, peer)
  }),
}

interface Round {
  readonly run: number
  /** The first id to be written. */
  readonly first: number
}

interface Latency {
  readonly p50: number
  readonly p99: number
}

async function follow({ url, sql }: PostgresStage, { log }: CaseContext, { run, first }: Round): Promise<Latency> {
  const slot = `bench_ours_${run}`
  const arrivals = new Arrivals()
  const source = postgresChanges({ url, slot, publication: PUBLICATION, tables: [MIXED_TABLE] })
  await using stream = new ChangeStream({ source, checkpoints: memoryStateStore() })
  await stream.subscribe({ id: 'latency' }, ({ events }) => arrivals.note(events.length))
  const latency = await commitAll(sql, first, arrivals)
  log(`pg-latency, ours ${run}: p50 ${latency.p50} ms, p99 ${latency.p99} ms`)
  await stream.stop()
  await sql`select pg_drop_replication_slot(${slot})`
  return latency
}

async function listen({ url, sql }: PostgresStage, { log }: CaseContext, { run, first }: Round): Promise<Latency> {
  const slot = `bench_peer_${run}`
  await sql`select pg_create_logical_replication_slot(${slot}, 'pgoutput')`
  const arrivals = new Arrivals()
  const service = new LogicalReplicationService({ connectionString: url }, { acknowledge: { auto: true, timeoutSeconds: 10 } })
  service.on('data', (_lsn, { tag }: { readonly tag: string }) => {
    if (tag === 'insert') arrivals.note(1)
  })
  // Ends with `stop`, for which an error of its own is as good as an end.
  const ended = service.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: [PUBLICATION] }), slot).catch(() => undefined)
  await once(service as unknown as NodeJS.EventEmitter, 'start') // eventemitter2 has what `once` needs
  const latency = await commitAll(sql, first, arrivals)
  log(`pg-latency, peer ${run}: p50 ${latency.p50} ms, p99 ${latency.p99} ms`)
  await service.stop()
  await ended
  await sql`select pg_drop_replication_slot(${slot}) from pg_replication_slots where slot_name = ${slot} and not active`
  return latency
}

async function commitAll(sql: postgres.Sql, first: number, arrivals: Arrivals): Promise<Latency> {
  const times: number[] = []
  for (let id = first; id < first + COMMITS; id += 1) {
    const arrived = arrivals.next()
    const begin = performance.now()
    await insertMixedPostgres(sql, { first: id, last: id })
    times.push((await arrived) - begin)
    await sleep(PAUSE_MS)
  }
  // The first ones wait for connections and for code to be compiled.
  const sorted = times.slice(COMMITS / 10).toSorted((a, b) => a - b)
  const at = (share: number): number => round(sorted[Math.floor(sorted.length * share)] ?? NaN)
  return { p50: at(0.5), p99: at(0.99) }
}

function resultOf({ runs }: CaseContext, ours: readonly Latency[], peer: readonly Latency[]): BenchResult {
  const [oursSpread, peerSpread] = [spreadOf(ours.map(({ p50 }) => p50)), spreadOf(peer.map(({ p50 }) => p50))]
  const p99 = { ours: spreadOf(ours.map((latency) => latency.p99)).median, peer: spreadOf(peer.map((latency) => latency.p99)).median }
  return {
    case: 'pg-latency', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'milliseconds', runs, oursSpread, peerSpread,
    peerName: 'pg-logical-replication, a listener', rows: COMMITS, detail: { p99 },
  }
}
