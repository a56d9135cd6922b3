import { decodeCheckpoint, type CheckpointState } from '../change/change-checkpoint.ts'
import type { ChangeConnection, ChangeTable } from '../dialect/change-source.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { toTidemarkError } from '../errors/to-tidemark-error.ts'
import { SNAPSHOT_BEGIN, tableNames } from '../feed/snapshot-progress.ts'
import type { ChangeSelection } from './change-stream-options.ts'

export interface StartOptions {
  readonly source: string
  readonly connection: ChangeConnection
  readonly signal: AbortSignal
  /** The stream's or the subscriber's. */
  readonly snapshot: 'initial' | 'none'
  readonly onGap: 'fail' | 'resnapshot'
  readonly onGapFound: (error: TidemarkError) => void
}

/** Where a subscriber begins. With a checkpoint: there, if the log still has everything after it. Errors: `CHECKPOINT_FOREIGN`, `CHANGE_GAP`, `STATE_*`. */
export async function startingPoint(checkpoint: CheckpointState | undefined, options: StartOptions): Promise<CheckpointState> {
  if (checkpoint === undefined) return fresh(options, options.snapshot === 'initial')
  const { source, connection, signal } = options
  if (checkpoint.source !== source) {
    throw new TidemarkError('CHECKPOINT_FOREIGN', `The checkpoint belongs to the source "${checkpoint.source}", not to "${source}".`)
  }
  try {
    await connection.verify(checkpoint.position, { signal })
    return checkpoint
  } catch (error) {
    const failure = toTidemarkError(error)
    if (failure.code !== 'CHANGE_GAP') throw failure
    options.onGapFound(failure)
    if (options.onGap === 'fail') throw failure
    return fresh(options, true)
  }
}

async function fresh({ source, connection, signal }: StartOptions, withSnapshot: boolean): Promise<CheckpointState> {
  return { source, position: await connection.head({ signal }), snapshot: withSnapshot ? SNAPSHOT_BEGIN : null }
}

/** Without tables that are not asked for any more: what changes in them from now on is not delivered, so that they have to be read again if they come back. */
export function narrowedTo(start: CheckpointState, tables: readonly string[]): CheckpointState {
  const { read, snapshot } = start
  const isKept = (name: string): boolean => tables.includes(name)
  if (snapshot === null) return { ...start, read: read?.filter(isKept) }
  const { done, current } = snapshot
  if (done.every(isKept) && (current === null || isKept(current.table))) return start
  return { ...start, snapshot: { done: done.filter(isKept), current: current !== null && isKept(current.table) ? current : null } }
}

/** With a snapshot of the tables that the one before did not read; changes of all others go on meanwhile. */
export function addedTo(start: CheckpointState, tables: readonly string[]): CheckpointState {
  const { read, ...rest } = start
  if (start.snapshot !== null || read === undefined) return start
  return tables.every((table) => read.includes(table)) ? start : { ...rest, snapshot: { done: read, current: null } }
}

/** The subscriber's own checkpoint, then the stored one, then where it wants to begin without. Errors: `STATE_CORRUPT`, `STATE_NEWER`. */
export function chooseCheckpoint({ from, startAt }: ChangeSelection, stored: CheckpointState | undefined): CheckpointState | undefined {
  if (typeof from === 'string') return decodeCheckpoint(from)
  return stored ?? (startAt === undefined ? undefined : decodeCheckpoint(startAt))
}

/** The tables asked for, by the names that checkpoints use. Errors: `TABLE_UNKNOWN`. */
export function resolveTables(wanted: readonly string[] | undefined, tables: readonly ChangeTable[]): readonly string[] | undefined {
  if (wanted === undefined) return undefined
  const names = tableNames(tables)
  const found = wanted.flatMap((name) => {
    const matches = tables.filter((table) => table.name === name || `${String(table.schema)}.${table.name}` === name)
    if (matches.length === 0) throw new TidemarkError('TABLE_UNKNOWN', `The source does not capture a table "${name}".`)
    return matches.map((table) => (names.includes(table.name) ? table.name : `${String(table.schema)}.${table.name}`))
  })
  return [...new Set(found)].sort()
}
