import * as v from 'valibot'
import type { Value } from '../change/value.ts'
import type { Cursor, Mark } from '../dialect/cursor.ts'
import type { TableSchema } from '../dialect/table.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { decodeValue, encodeValue } from '../util/value-json.ts'
import { startOfTable, type SettledCursor } from './settled-cursor.ts'

/** The source table as it was when it was last looked at, with all of its columns. */
export type KnownSchema = Pick<TableSchema, 'version' | 'kind' | 'columns' | 'key' | 'indexes'>

/** A staged copy being filled. */
export interface LoadProgress {
  readonly after: Cursor | undefined
  readonly rows: number
  /** The table's end before the first row was read; `undefined` for an empty table and for full reloads. */
  readonly start: Mark | undefined
  /** Whether every row so far was read when no writer of the load's beginning was left. */
  readonly isSettled: boolean
  /** The source's estimate when the load began, so that a load that is resumed can still tell how far it is. */
  readonly estimatedRows?: number | undefined
}

/**
 * A second reading of the whole table in key order, upserted over the live copy: after a load that ran beside old
 * writers, to fill an added column, or to find drift.
 */
export interface Reread {
  readonly reason: RereadReason
  readonly after: Cursor | undefined
  /** For `late-commits`: pages count only once this has settled. */
  readonly mark: Mark | undefined
}

export type RereadReason = 'late-commits' | 'backfill' | 'reconcile'

/** The sweep for rows that the source no longer has, in the target's key order. */
export interface Sweep {
  readonly after: readonly Value[] | undefined
}

/**
 * Everything a replication must remember. It is written in the same transaction as the rows it speaks of.
 * `docs/spec/replicator.md` has the transitions.
 */
export interface ReplicationState {
  /** The options that decide what the copy contains; another value means that the copy must be made anew. */
  readonly definition: string
  readonly phase: 'new' | 'loading' | 'live'
  readonly schema: KnownSchema | undefined
  readonly load: LoadProgress | undefined
  readonly cursor: SettledCursor
  readonly reread: Reread | undefined
  readonly sweep: Sweep | undefined
  /** When the running reconcile began; it ends with `verified`. */
  readonly reconcileStartedAtMs: number | undefined
  /** End of the last reconcile, or of the load: the next one is due an interval later. */
  readonly reconciledAtMs: number | undefined
  /** Rows a running reconcile has healed. */
  readonly healedRows: number
  readonly verified: { readonly throughTracking: string | undefined; readonly atMs: number } | undefined
}

export function newState(definition: string): ReplicationState {
  return {
    definition, phase: 'new', schema: undefined, load: undefined, cursor: startOfTable, reread: undefined, sweep: undefined,
    reconcileStartedAtMs: undefined, reconciledAtMs: undefined, healedRows: 0, verified: undefined,
  }
}

const VERSION = 1

const cursorSchema = v.object({ tracking: v.optional(v.string()), key: v.array(v.string()) })
const markSchema = v.object({ cursor: cursorSchema, fence: v.string(), readAtMs: v.number() })
const columnSchema = v.object({
  name: v.string(),
  ordinal: v.number(),
  sourceType: v.string(),
  logicalType: v.picklist([
    'boolean', 'integer', 'decimal', 'scaled', 'real', 'text', 'enum', 'raw', 'uuid', 'uuid-blob', 'blob', 'json', 'array',
    'date', 'timestamp', 'timestamp-utc', 'epoch-us', 'time', 'interval', 'bits',
  ]),
  storage: v.picklist(['integer', 'real', 'text', 'blob']),
  scale: v.number(),
  nullable: v.boolean(),
  onUnrepresentable: v.picklist(['error', 'null', 'text']),
})
const optional = <T extends v.GenericSchema>(schema: T) => v.optional(schema)

const stateSchema = v.object({
  definition: v.string(),
  phase: v.picklist(['new', 'loading', 'live']),
  schema: optional(v.object({
    version: v.string(),
    kind: v.picklist(['table', 'view']),
    columns: v.array(columnSchema),
    key: v.array(v.string()),
    indexes: v.array(v.object({ columns: v.array(v.string()), unique: v.boolean() })),
  })),
  load: optional(v.object({
    after: optional(cursorSchema), rows: v.number(), start: optional(markSchema), isSettled: v.boolean(), estimatedRows: optional(v.number()),
  })),
  cursor: v.object({
    settled: optional(cursorSchema),
    marks: v.array(markSchema),
    pass: optional(v.object({ after: cursorSchema, provedMarks: v.number() })),
  }),
  reread: optional(v.object({ reason: v.picklist(['late-commits', 'backfill', 'reconcile']), after: optional(cursorSchema), mark: optional(markSchema) })),
  sweep: optional(v.object({ after: optional(v.array(v.unknown())) })),
  reconcileStartedAtMs: optional(v.number()),
  reconciledAtMs: optional(v.number()),
  healedRows: v.number(),
  verified: optional(v.object({ throughTracking: optional(v.string()), atMs: v.number() })),
})
const envelopeSchema = v.object({ version: v.number(), state: v.unknown() })

export function encodeState(state: ReplicationState): string {
  const sweep = state.sweep === undefined ? undefined : { after: state.sweep.after?.map(encodeValue) }
  return JSON.stringify({ version: VERSION, state: { ...state, sweep } })
}

/** Errors: `STATE_NEWER`, `STATE_CORRUPT`. */
export function decodeState(text: string): ReplicationState {
  const envelope = v.safeParse(envelopeSchema, parseJson(text))
  if (!envelope.success) throw corrupt()
  if (envelope.output.version > VERSION) {
    throw new TidemarkError('STATE_NEWER', `The checkpoint has version ${envelope.output.version}; this release knows ${VERSION}.`)
  }
  const parsed = v.safeParse(stateSchema, envelope.output.state)
  if (!parsed.success) throw corrupt()
  const { sweep, schema, load, cursor, reread, reconcileStartedAtMs, reconciledAtMs, verified, ...rest } = parsed.output
  return {
    ...rest,
    schema,
    load: load === undefined ? undefined : { ...load, after: load.after, start: load.start },
    cursor: { settled: cursor.settled, marks: cursor.marks, pass: cursor.pass },
    reread: reread === undefined ? undefined : { reason: reread.reason, after: reread.after, mark: reread.mark },
    sweep: sweep === undefined ? undefined : { after: sweep.after?.map(decodeValue) },
    reconcileStartedAtMs,
    reconciledAtMs,
    verified: verified === undefined ? undefined : { throughTracking: verified.throughTracking, atMs: verified.atMs },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw corrupt()
  }
}

function corrupt(): TidemarkError {
  return new TidemarkError('STATE_CORRUPT', 'The stored checkpoint can not be read.')
}
