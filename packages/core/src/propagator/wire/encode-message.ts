import type { LogPosition } from '../../change/log-position.ts'
import type { RowValues } from '../../change/value.ts'
import type { PeerChange, PeerMessage, PeerTable } from '../../dialect/propagation-target.ts'
import { toWireValue } from './wire-value.ts'

/** The only version there is. A receiver refuses another. */
export const WIRE_VERSION = 1

/** A message as JSON text. docs/spec/propagation.md describes it. */
export function encodeMessage(message: PeerMessage): string {
  const head = { v: WIRE_VERSION, type: message.type, origin: message.origin, epoch: message.epoch }
  switch (message.type) {
    case 'hello':
      return JSON.stringify({ ...head, head: place(message.head), tables: message.tables.map(table), snapshot: message.snapshot, takesOver: message.takesOver, restarts: message.restarts === undefined ? false : place(message.restarts), isVersioned: message.isVersioned })
    case 'unit':
      return JSON.stringify({
        ...head, from: place(message.from), to: place(message.to), isCommit: message.isCommit, without: message.without,
        relayed: message.relayed, version: message.version, tables: message.tables.map(table), changes: message.changes.map(change),
      })
    case 'chunk':
      return JSON.stringify({ ...head, at: place(message.at), after: message.after, next: message.next, table: table(message.table), rows: message.rows.map(values), versions: message.versions, tombstones: message.tombstones.map(({ key, version }) => [version, ...values(key)]) })
  }
}

/** The log's epoch is said once for all of a message's places. */
function place({ sequence, detail }: LogPosition): readonly [sequence: string, detail: string] {
  return [sequence, detail]
}

function table({ name, columns, key }: PeerTable): object {
  return { name, columns: columns.map((column) => [column.name, column.type]), key }
}

const OPS = { upsert: 0, delete: 1, truncate: 2 } as const

function change(entry: PeerChange): readonly unknown[] {
  return entry.op === 'truncate' ? [entry.table, OPS.truncate] : [entry.table, OPS[entry.op], ...values(entry.values)]
}

function values(row: RowValues): readonly unknown[] {
  return row.map(toWireValue)
}
