import { TidemarkError } from '../errors/tidemark-error.ts'
import type { LogPosition, Sequence } from './log-position.ts'

declare const checkpointBrand: unique symbol

/** Where a subscriber goes on, as text to keep. Opaque: what is in it may change between versions. */
export type ChangeCheckpoint = string & { readonly [checkpointBrand]: true }

/** How far a snapshot has come. Tables that are neither in `done` nor `table` are still to be read. */
export interface SnapshotProgress {
  readonly done: readonly string[]
  /** The table being read and the key of its last row, as the source encodes it; `after` is `null` at its beginning. */
  readonly current: { readonly table: string; readonly after: string | null } | null
}

/** What a checkpoint says. */
export interface CheckpointState {
  /** The source's logical name. */
  readonly source: string
  readonly position: LogPosition
  /** `null` once the snapshot is complete, or where none was asked for. */
  readonly snapshot: SnapshotProgress | null
  /** Of a snapshot that is complete: the tables that it gave the rows of. One that is captured only later is not among them, and is still to be read. */
  readonly read?: readonly string[] | undefined
}

const VERSION = 1

export function encodeCheckpoint(state: CheckpointState): ChangeCheckpoint {
  const { source, position: { epoch, sequence, detail }, snapshot, read } = state
  return JSON.stringify({ v: VERSION, source, epoch, sequence, detail, snapshot, read }) as ChangeCheckpoint // the one place that makes them
}

/** Errors: `STATE_NEWER` for one of a later version, `STATE_CORRUPT` for what is no checkpoint. */
export function decodeCheckpoint(text: string): CheckpointState {
  const fields = parse(text)
  if (typeof fields['v'] === 'number' && fields['v'] > VERSION) {
    throw new TidemarkError('STATE_NEWER', `The checkpoint has version ${fields['v']}; this release knows ${VERSION}.`)
  }
  const { source, epoch, sequence, detail, snapshot, read } = fields
  if (fields['v'] !== VERSION || typeof source !== 'string' || typeof epoch !== 'string' || typeof sequence !== 'string' || typeof detail !== 'string') corrupt()
  return { source, position: { epoch, sequence: sequence as Sequence, detail }, snapshot: progressOf(snapshot), ...(read === undefined ? {} : { read: namesOf(read) }) } // written by encodeCheckpoint
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null) return { ...parsed }
  } catch {
    // What it was is said below, without quoting it.
  }
  return corrupt()
}

function progressOf(value: unknown): SnapshotProgress | null {
  if (value === null) return null
  if (typeof value !== 'object' || value === undefined || !('done' in value) || !('current' in value)) corrupt()
  const { current } = value
  const done = namesOf(value.done)
  if (current === null) return { done, current }
  if (typeof current !== 'object' || current === undefined || !('table' in current) || !('after' in current)) corrupt()
  const { table, after } = current
  if (typeof table !== 'string' || !(after === null || typeof after === 'string')) corrupt()
  return { done, current: { table, after } }
}

function namesOf(value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string')) corrupt()
  return value
}

function corrupt(): never {
  throw new TidemarkError('STATE_CORRUPT', 'The text is not a checkpoint of a change stream.', {
    remedy: 'Give a checkpoint as a batch carried it, or subscribe without one.',
  })
}
