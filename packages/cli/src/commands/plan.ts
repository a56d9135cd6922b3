import type { ReplicationPlan } from '@tidemark/core'
import type { ArgsDef } from 'citty'
import type { TidemarkCommand } from '../command.ts'
import { configure } from '../configure.ts'
import { EXIT } from '../exit-code.ts'
import { formatRows } from '../format.ts'
import { textTable } from '../text-table.ts'
import { outputArgs, sourceArgs, tableArgs, targetArgs } from './args.ts'

const args = { ...sourceArgs, ...targetArgs, ...tableArgs, ...outputArgs } as const satisfies ArgsDef

export const planCommand: TidemarkCommand = {
  name: 'plan',
  description: 'Shows what sync would do, with columns and types; copies nothing',
  args,
  run: async (context) => {
    const { replicator } = await configure(context, { target: 'optional' })
    try {
      const plans = await replicator.plan()
      if (context.flags.has('json')) for (const plan of plans) context.output.json(planLine(plan))
      else context.output.data(plans.map(planText).join('\n\n'))
      return EXIT.ok
    } finally {
      await replicator.stop()
    }
  },
}

function planLine(plan: ReplicationPlan): object {
  return { type: 'plan', ...plan, estimatedRows: plan.estimatedRows ?? null }
}

function planText(plan: ReplicationPlan): string {
  const { sourceTable, targetTable, action, columns, key, indexes, estimatedRows, drift } = plan
  const size = estimatedRows === undefined ? '' : `, about ${formatRows(estimatedRows)}`
  const rows = columns.map((column) => [column.name, column.sourceType, column.storage, column.logicalType])
  return [
    `${sourceTable} -> ${targetTable}: ${action}${size}`,
    indented(textTable([['column', 'source type', 'stored as', 'meaning'], ...rows])),
    `  key: ${key.length === 0 ? 'none' : key.join(', ')}`,
    ...indexes.map((index) => `  index: ${index.columns.join(', ')}${index.unique ? ' (unique at the source)' : ''}`),
    ...drift.changes.map((change) => `  changed at the source: ${change.column} ${change.kind}`),
    ...drift.action === 'none' ? [] : [`  then: ${drift.action}`],
  ].join('\n')
}

function indented(text: string): string {
  return text.split('\n').map((line) => `  ${line}`).join('\n')
}
