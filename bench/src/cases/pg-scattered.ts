import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkCopies } from '../measure/check-copy.ts'
import { round, spreadOf } from '../measure/spread.ts'
import { FollowedTable } from '../ours/followed-table.ts'
import { HandWrittenPoll, type PollTimes } from '../process/hand-written-poll.ts'
import type { BenchResult } from '../result.ts'
import { CHANGED_ROWS, scatter, type Change } from '../tables/change-rows.ts'
import { MIXED_TABLE } from '../tables/mixed-table.ts'
import { createTrackedPostgres } from '../tables/tracked-postgres.ts'
import type { BenchCase, CaseContext } from './case.ts'
import { withPostgres } from './with-postgres.ts'

/** A poll is short, so there are more of them than runs of a load. */
const POLLS_PER_RUN = 6

interface Samples {
  readonly ours: number[]
  readonly peer: PollTimes[]
}

interface Sides {
  readonly ours: FollowedTable
  readonly peer: HandWrittenPoll
}

/**
 * A poll that finds 1,000 rows spread over a large table, against the same poll written by hand. Each such row is on a page of its own
 * in any engine: what both sides pay alike is SQLite's, and the ratio shows what is ours.
 */
export const pgScattered: BenchCase = {
  name: 'pg-scattered',
  run: (context) => withPostgres(async ({ url, sql }) => {
    const [oursPath, peerPath] = [join(context.folder, 'ours.db'), join(context.folder, 'peer.db')]
    const rows = await createTrackedPostgres(sql, context.rows, MIXED_TABLE)
    await makeCopy(url, oursPath)
    // The same file for both: the same pages, fill and indexes.
    await copyFile(oursPath, peerPath)
    await using ours = await FollowedTable.open({ url, table: MIXED_TABLE, path: oursPath })
    await using peer = await HandWrittenPoll.open({ url, path: peerPath })
    const samples = await measure({ ours, peer }, scatter(sql), context)
    checkCopies(oursPath, peerPath, rows)
    return resultOf(context, samples)
  }),
}

/** Closed again at once, so that all of it is in the file. */
async function makeCopy(url: string, path: string): Promise<void> {
  const table = await FollowedTable.open({ url, table: MIXED_TABLE, path })
  await table[Symbol.asyncDispose]()
}

async function measure(sides: Sides, change: Change, { runs }: CaseContext): Promise<Samples> {
  const samples: Samples = { ours: [], peer: [] }
  for (let run = 0; run < runs * POLLS_PER_RUN; run += 1) {
    await change(MIXED_TABLE, run)
    // The second to read finds the source's caches warm, so they take turns at it.
    const order = run % 2 === 0 ? [pollOurs, pollPeer] : [pollPeer, pollOurs]
    for (const poll of order) await poll(sides, samples)
    await sides.ours.settle()
  }
  return samples
}

async function pollOurs({ ours }: Sides, samples: Samples): Promise<void> {
  samples.ours.push(await ours.timePoll(CHANGED_ROWS))
}

async function pollPeer({ peer }: Sides, samples: Samples): Promise<void> {
  samples.peer.push(await peer.poll(CHANGED_ROWS))
}

function resultOf({ rows, runs, log }: CaseContext, samples: Samples): BenchResult {
  const oursSpread = spreadOf(samples.ours)
  const peerSpread = spreadOf(samples.peer.map(({ readMs, upsertMs }) => readMs + upsertMs))
  const peerUpsert = spreadOf(samples.peer.map(({ upsertMs }) => upsertMs))
  log(`pg-scattered: ours ${oursSpread.median} ms, peer ${peerSpread.median} ms, of which its upserts ${peerUpsert.median} ms`)
  return {
    case: 'pg-scattered',
    ours: oursSpread.median,
    peer: peerSpread.median,
    ratio: round(peerSpread.median / oursSpread.median),
    unit: 'milliseconds',
    runs: runs * POLLS_PER_RUN,
    oursSpread,
    peerSpread,
    peerName: 'a hand-written poll: postgres.js, then node:sqlite prepared upserts, same file and durability',
    rows,
    // The peer's writing alone against all of ours: below 1 by what reading the source takes.
    detail: { rowsPerPoll: CHANGED_ROWS, peerUpsert, upsertRatio: round(peerUpsert.median / oursSpread.median) },
  }
}
