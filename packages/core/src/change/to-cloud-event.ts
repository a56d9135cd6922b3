import type { BeforeKind, ChangeEvent, ChangeOp, ChangeRow } from './change-event.ts'

/** A change as a CloudEvent 1.0: its attributes, and extensions in the letters that CloudEvents allow. */
export interface ChangeCloudEvent {
  readonly specversion: '1.0'
  /** Unique with `source`, and equal on redelivery. */
  readonly id: string
  /** `/tidemark/sqlite/app`: connector and logical name. */
  readonly source: string
  readonly type: `tidemark.change.${ChangeOp}`
  /** `main.users`: the schema, where there is one, and the table. */
  readonly subject: string
  /** When it was committed, where the source keeps that. */
  readonly time?: string
  readonly datacontenttype: 'application/json'
  readonly position: string
  readonly txid: string
  readonly txsequence: number
  readonly txlast: boolean
  readonly origin?: string
  readonly snapshot?: 'initial'
  readonly schemaversion: number
  /** Milliseconds, as text: a CloudEvents integer has 32 bits. */
  readonly receivedatms: string
  /** Values are those of the event: bigint and bytes have to become JSON in a form that its readers know. */
  readonly data: {
    readonly schema: string | null
    readonly table: string
    readonly key: Partial<ChangeRow> | null
    readonly before: Partial<ChangeRow> | null
    readonly beforeKind: BeforeKind
    readonly after: Partial<ChangeRow> | null
    readonly unavailable: readonly string[]
    readonly changed?: readonly string[]
  }
}

/** Nothing of the event is lost. */
export function toCloudEvent(event: ChangeEvent): ChangeCloudEvent {
  const { schema, table, key, before, beforeKind, after, unavailable, tx, source } = event
  const changed = event.op === 'update' ? event.changed : undefined
  return {
    specversion: '1.0',
    id: event.id,
    source: `/tidemark/${source.connector}/${encodeURIComponent(source.name)}`,
    type: `tidemark.change.${event.op}`,
    subject: schema === null ? table : `${schema}.${table}`,
    ...(tx.committedAtMs === undefined ? {} : { time: new Date(tx.committedAtMs).toISOString() }),
    datacontenttype: 'application/json',
    position: source.position,
    txid: tx.id,
    txsequence: tx.sequence,
    txlast: tx.last,
    ...(tx.origin === undefined ? {} : { origin: tx.origin }),
    ...(source.snapshot === false ? {} : { snapshot: source.snapshot }),
    schemaversion: source.schemaVersion,
    receivedatms: source.receivedAtMs.toString(),
    data: { schema, table, key, before, beforeKind, after, unavailable, ...(changed === undefined ? {} : { changed }) },
  }
}
