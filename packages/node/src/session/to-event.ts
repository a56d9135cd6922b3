import { printPosition, type ChangeEvent, type ChangeOrigin, type ChangeTransaction, type LogPosition } from '@tidemark/core/adapter'
import type { RowDraft } from './row-draft.ts'

export interface EventContext {
  readonly sourceName: string
  readonly position: LogPosition
  readonly receivedAtMs: number
  readonly tx: ChangeTransaction
  readonly id: string
}

/** A draft as the event that a handler receives: equal whenever it is made. */
export function toEvent(draft: RowDraft, context: EventContext): ChangeEvent {
  const { id, tx } = context
  const { key, unavailable, table } = draft
  const common = { id, schema: 'main', table: table.name, unavailable, tx, source: originOf(draft, context) }
  switch (draft.op) {
    case 'insert':
    case 'snapshot':
      return { ...common, op: draft.op, key, before: null, beforeKind: 'none', after: draft.after ?? key }
    case 'update':
      return { ...common, op: 'update', key, before: draft.before, beforeKind: 'full', after: draft.after ?? key, changed: draft.changed }
    case 'delete':
      return { ...common, op: 'delete', key, before: draft.before, beforeKind: 'full', after: null }
    default:
      return draft.op satisfies never
  }
}

function originOf(draft: RowDraft, { sourceName, position, receivedAtMs }: EventContext): ChangeOrigin {
  return {
    connector: 'sqlite',
    name: sourceName,
    snapshot: draft.op === 'snapshot' ? 'initial' : false,
    position: printPosition(position),
    schemaVersion: draft.table.version,
    receivedAtMs,
  }
}
