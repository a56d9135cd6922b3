import type { SnapshotProgress } from '../change/change-checkpoint.ts'
import type { ChangeTable } from '../dialect/change-source.ts'

/** Nothing read yet. */
export const SNAPSHOT_BEGIN: SnapshotProgress = { done: [], current: null }

/** What a snapshot reads next. */
export interface NextChunk {
  readonly table: string
  /** Key of the last row read; `undefined` at the table's beginning. */
  readonly after: string | undefined
}

/** The next piece of the snapshot; `undefined` when it is complete. A table that is gone is not waited for. */
export function nextChunk(progress: SnapshotProgress, tables: readonly string[]): NextChunk | undefined {
  const { current, done } = progress
  if (current !== null && tables.includes(current.table)) return { table: current.table, after: current.after ?? undefined }
  const table = tables.find((name) => !done.includes(name) && name !== current?.table)
  return table === undefined ? undefined : { table, after: undefined }
}

/** The progress before a table's first rows. What was current and is another table now has been dropped meanwhile. */
export function beginTable({ done, current }: SnapshotProgress, table: string): SnapshotProgress {
  return { done: current === null || current.table === table ? done : [...done, current.table], current: { table, after: null } }
}

/** The progress once a chunk's rows are delivered. */
export function afterChunk(progress: SnapshotProgress, { table, after }: NextChunk, chunk: { readonly last: string | undefined; readonly isLast: boolean }): SnapshotProgress {
  const { done } = beginTable(progress, table)
  if (chunk.isLast) return { done: [...done, table], current: null }
  return { done, current: { table, after: chunk.last ?? after ?? null } }
}

/**
 * Tables whose changes are delivered from the log: those of which rows have been delivered, or are about to be. What happens in the
 * others shows in the rows that come.
 */
export function visibleTables({ done, current }: SnapshotProgress): readonly string[] {
  return current === null ? done : [...done, current.table]
}

/** What tables are called in checkpoints and chunk requests: by name, and with the schema where the name alone is not unique. */
export function tableNames(tables: readonly ChangeTable[]): readonly string[] {
  const count = new Map<string, number>()
  for (const { name } of tables) count.set(name, (count.get(name) ?? 0) + 1)
  return tables.map(({ schema, name }) => (count.get(name) === 1 || schema === null ? name : `${schema}.${name}`)).sort()
}
