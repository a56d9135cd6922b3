import type { RunLogEntry } from '@tidemark/core'
import type { ArgsDef } from 'citty'
import type { CommandContext, TidemarkCommand } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { formatCount, formatDuration } from '../format.ts'
import { formatTime } from '../format-time.ts'
import { openLedger } from '../open-ledger.ts'
import { textTable } from '../text-table.ts'
import { outputArgs, targetArgs } from './args.ts'

const args = {
  ...targetArgs,
  limit: { type: 'string', valueHint: 'count', description: 'Newest runs to show, 1 to 1000 (default 50)' },
  name: { type: 'string', valueHint: 'copy', description: 'Only the runs of this copy' },
  ...outputArgs,
} as const satisfies ArgsDef

const MAX_LIMIT = 1_000
const DEFAULT_LIMIT = 50

export const logsCommand: TidemarkCommand = {
  name: 'logs',
  description: 'Shows past syncs of a target, newest first',
  args,
  run: async (context) => {
    const limit = limitOption(context)
    const target = await openLedger(context)
    try {
      const runs = await target.ledger.readRuns({ limit, name: context.flags.get('name') })
      if (context.flags.has('json')) for (const run of runs) context.output.json(runLine(run))
      else context.output.data(textTable([['at', 'copy', 'status', 'rows', 'time', 'error'], ...runs.map(runRow)]))
      return EXIT.ok
    } finally {
      await target[Symbol.asyncDispose]()
    }
  },
}

function limitOption({ flags, faults }: CommandContext): number {
  const text = flags.get('limit')
  if (text === undefined || text === '') return DEFAULT_LIMIT
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  if (!(limit >= 1 && limit <= MAX_LIMIT)) faults.add('--limit', `Must be a whole number from 1 to ${MAX_LIMIT}.`)
  return limit
}

function runLine({ name, status, rows, durationMs, atMs, errorCode, errorMessage }: RunLogEntry): object {
  return { type: 'run', name, status, rows, durationMs, at: formatTime(atMs), code: errorCode ?? null, message: errorMessage ?? null }
}

function runRow({ name, status, rows, durationMs, atMs, errorCode, errorMessage }: RunLogEntry): readonly string[] {
  const error = errorCode === undefined ? '' : `${errorCode}: ${errorMessage ?? ''}`
  return [formatTime(atMs), name, status, formatCount(rows), formatDuration(durationMs), error]
}
