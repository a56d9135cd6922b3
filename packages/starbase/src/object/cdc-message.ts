import type { ChangeEvent } from '@tidemark/core'
import { rowToJson } from '@tidemark/core/adapter'
import type { CdcEventFilter } from './cdc-selection.ts'

const ACTIONS = { insert: 'INSERT', snapshot: 'INSERT', update: 'UPDATE', delete: 'DELETE', truncate: 'TRUNCATE' } as const

export function isWanted(event: ChangeEvent, events: readonly CdcEventFilter[] | undefined): boolean {
  // Of a table that was emptied or made anew, whoever follows it has to know.
  const isAction = ({ action }: CdcEventFilter): boolean => action === '*' || event.op === 'truncate' || action === ACTIONS[event.op]
  const isColumn = ({ column }: CdcEventFilter): boolean => column === undefined || event.op !== 'update' || (event.changed?.includes(column) ?? true)
  return events?.some((filter) => isAction(filter) && isColumn(filter) && filter.schema === event.schema && filter.table === event.table) ?? true
}

/** `data` is the row, as `changeToJson` has it: after an insert or an update, before a deletion. `id` is where to go on behind it, where a transaction ends. */
export function cdcMessage(event: ChangeEvent, id: string | null): string {
  const { op, schema, table, after, before } = event
  const place = id === null ? '' : `,"id":${JSON.stringify(id)}`
  return `{"type":"cdc_event","payload":{"action":"${ACTIONS[op]}","schema":${JSON.stringify(schema)},"table":${JSON.stringify(table)},"data":${rowToJson(after ?? before)}}${place}}`
}
