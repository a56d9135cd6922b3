import { storedStatus, type StoredStatus } from '@tidemark/core'
import type { ArgsDef } from 'citty'
import type { TidemarkCommand } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { formatCount } from '../format.ts'
import { formatTime } from '../format-time.ts'
import { openLedger } from '../open-ledger.ts'
import { textTable } from '../text-table.ts'
import { outputArgs, targetArgs } from './args.ts'

const args = { ...targetArgs, ...outputArgs } as const satisfies ArgsDef

export const statusCommand: TidemarkCommand = {
  name: 'status',
  description: 'Shows how far the copies of a target are',
  args,
  run: async (context) => {
    const target = await openLedger(context)
    try {
      const statuses = (await target.ledger.listReplications()).map(storedStatus)
      if (context.flags.has('json')) for (const status of statuses) context.output.json(statusLine(status))
      else context.output.data(textTable([['copy', 'source', 'phase', 'tracking', 'newest', 'last sync'], ...statuses.map(statusRow)]))
      return EXIT.ok
    } finally {
      await target[Symbol.asyncDispose]()
    }
  },
}

function statusLine(status: StoredStatus): object {
  const { name, source, sourceTable, targetTable, isActive, phase, unsettled } = status
  return {
    type: 'status', name, source, sourceTable, targetTable, isActive, phase,
    loadedRows: status.loadedRows ?? null,
    trackingColumn: status.trackingColumn ?? null,
    lastSyncValue: status.lastSyncValue ?? null,
    lastSyncAt: status.lastSyncAtMs === undefined ? null : formatTime(status.lastSyncAtMs),
    unsettledMarks: unsettled.marks,
    verifiedAt: status.verifiedAtMs === undefined ? null : formatTime(status.verifiedAtMs),
  }
}

function statusRow(status: StoredStatus): readonly string[] {
  const phase = status.isActive ? status.phase : `${status.phase}, paused`
  return [
    status.targetTable,
    `${status.source} ${status.sourceTable}`,
    status.loadedRows === undefined ? phase : `${phase} (${formatCount(status.loadedRows)} rows)`,
    status.trackingColumn ?? '-',
    status.lastSyncValue ?? '-',
    status.lastSyncAtMs === undefined ? 'never' : formatTime(status.lastSyncAtMs),
  ]
}
