import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sqliteChanges } from '@tidemark/node'
import { round, spreadOf, type Spread } from '../measure/spread.ts'
import { alternate } from '../measure/alternate.ts'
import { WrittenTable, WRITES, type Write } from '../ours/written-table.ts'
import type { BenchResult } from '../result.ts'
import type { BenchCase, CaseContext } from './case.ts'

/** More say no more: every transaction costs the same. */
const MAX_ROWS = 200_000

type Times = Readonly<Record<Write, number>>

/** What capturing costs a writer: 1,000-row transactions of single-row statements, with the triggers and without. */
export const sqliteCapture: BenchCase = {
  name: 'sqlite-capture',
  run: async (context) => {
    const rows = Math.min(context.rows, MAX_ROWS)
    const { ours, peer } = await alternate(
      (run) => writeAll(context, { name: `ours-${run}`, rows, isCaptured: true }),
      (run) => writeAll(context, { name: `peer-${run}`, rows, isCaptured: false }),
      context.runs,
    )
    return resultOf(context, { rows, ours, peer })
  },
}

interface Writing {
  readonly name: string
  readonly rows: number
  readonly isCaptured: boolean
}

async function writeAll({ folder, log }: CaseContext, { name, rows, isCaptured }: Writing): Promise<Times> {
  const path = join(folder, `${name}.db`)
  using table = new WrittenTable(path, rows)
  if (isCaptured) await sqliteChanges({ path }, { tables: ['items'] }).install()
  const times = { insert: table.time('insert'), update: table.time('update'), delete: table.time('delete') }
  log(`sqlite-capture, ${name}: ${WRITES.map((write) => `${write} ${times[write]} s`).join(', ')}`)
  if (isCaptured) table.requireLog(rows * WRITES.length)
  for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true })
  return times
}

interface Measured {
  readonly rows: number
  readonly ours: readonly Times[]
  readonly peer: readonly Times[]
}

function resultOf({ runs }: CaseContext, { rows, ours, peer }: Measured): BenchResult {
  const each = WRITES.map((write) => {
    const [withCapture, without] = [spreadOf(ours.map((times) => times[write])), spreadOf(peer.map((times) => times[write]))]
    return { write, ours: withCapture, peer: without, ratio: round(without.median / withCapture.median), rowsPerSecond: Math.round(rows / withCapture.median) }
  })
  const worst = each.reduce((a, b) => (b.ratio < a.ratio ? b : a))
  return {
    case: 'sqlite-capture', ours: worst.ours.median, peer: worst.peer.median, ratio: worst.ratio, unit: 'seconds', runs,
    oursSpread: worst.ours satisfies Spread, peerSpread: worst.peer, peerName: 'the same writes without capture', rows, rowsPerSecond: worst.rowsPerSecond,
    detail: { worst: worst.write, ...Object.fromEntries(each.map(({ write, ...figures }) => [write, figures])) },
  }
}
