import { join } from 'node:path'
import { round, spreadOf, type Spread } from '../measure/spread.ts'
import { FollowedTable } from '../ours/followed-table.ts'
import type { BenchResult } from '../result.ts'
import { CHANGED_ROWS, neighbours, scatter, type Change } from '../tables/change-rows.ts'
import { createTrackedPostgres } from '../tables/tracked-postgres.ts'
import type { BenchCase, CaseContext } from './case.ts'
import { withPostgres } from './with-postgres.ts'

/** The small table has a hundredth of the rows of the large one. */
const SHRINK = 100
/** A poll is short, so there are more of them than runs of a load. */
const POLLS_PER_RUN = 6

interface Polls {
  readonly small: Spread
  readonly large: Spread
  /** Time on the small table over time on the large one: 1 where a poll's cost does not grow with the table. */
  readonly ratio: number
}

/** What a poll costs on a small and on a large table: idle, and with 1,000 changed rows. Our own small table is the peer. */
export const pgIncremental: BenchCase = {
  name: 'pg-incremental',
  run: (context) => withPostgres(async ({ url, sql }) => {
    const small = { url, table: 'items_small', path: join(context.folder, 'small.db') }
    const large = { url, table: 'items_large', path: join(context.folder, 'large.db') }
    await createTrackedPostgres(sql, context.rows / SHRINK, small.table)
    await createTrackedPostgres(sql, context.rows, large.table)
    const tables = [await FollowedTable.open(small), await FollowedTable.open(large)] as const
    try {
      const idle = await measureIdle(tables, context)
      const changed = await measureChanged(tables, neighbours(sql), context)
      const scattered = await measureChanged(tables, scatter(sql), context)
      return resultOf(context, { idle, changed, scattered })
    } finally {
      for (const table of tables) await table[Symbol.asyncDispose]()
    }
  }),
}

type Pair = readonly [small: FollowedTable, large: FollowedTable]

async function measureIdle([small, large]: Pair, { runs, log }: CaseContext): Promise<Polls> {
  const samples = { small: [] as number[], large: [] as number[] }
  for (let run = 0; run < runs * POLLS_PER_RUN; run += 1) {
    samples.small.push(await small.timeIdlePoll())
    samples.large.push(await large.timeIdlePoll())
  }
  return pollsOf('idle', samples, log)
}

async function measureChanged(pair: Pair, change: Change, { runs, log }: CaseContext): Promise<Polls> {
  const [small, large] = pair
  const samples = { small: [] as number[], large: [] as number[] }
  for (let run = 0; run < runs * POLLS_PER_RUN; run += 1) {
    for (const table of pair) await change(table.name, run)
    samples.small.push(await small.timePoll(CHANGED_ROWS))
    samples.large.push(await large.timePoll(CHANGED_ROWS))
    for (const table of pair) await table.settle()
  }
  return pollsOf(change.name, samples, log)
}

function pollsOf(name: string, samples: { readonly small: readonly number[]; readonly large: readonly number[] }, log: (line: string) => void): Polls {
  const [small, large] = [spreadOf(samples.small), spreadOf(samples.large)]
  log(`pg-incremental, ${name}: small ${small.median} ms, large ${large.median} ms`)
  return { small, large, ratio: round(small.median / large.median) }
}

interface Measured {
  readonly idle: Polls
  readonly changed: Polls
  readonly scattered: Polls
}

function resultOf({ rows, runs }: CaseContext, { idle, changed, scattered }: Measured): BenchResult {
  return {
    case: 'pg-incremental',
    ours: changed.large.median,
    peer: changed.small.median,
    // The worse of the two that must not grow with the table.
    ratio: Math.min(idle.ratio, changed.ratio),
    unit: 'milliseconds',
    runs: runs * POLLS_PER_RUN,
    oursSpread: changed.large,
    peerSpread: changed.small,
    peerName: `the same poll on a table of 1/${SHRINK} the rows`,
    rows,
    detail: { rowsPerPoll: CHANGED_ROWS, idle, changed, scattered },
  }
}
