import type { SourceConnection } from '../dialect/source.ts'
import type { ColumnSchema, TableSchema } from '../dialect/table.ts'
import type { Commit, TargetConnection, TargetTable } from '../dialect/target.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Fence } from '../state/lease.ts'
import type { PageSize } from '../util/page-size.ts'
import { rowBytes } from '../util/row-bytes.ts'
import type { RowValues } from '../change/value.ts'
import { encodeState, type KnownSchema, type ReplicationState } from './replication-state.ts'
import type { ReplicatorEvents, SyncPhase } from './replicator-events.ts'
import type { ResolvedReplication } from './resolve-replication.ts'

export interface SyncContext {
  readonly replication: ResolvedReplication
  readonly source: SourceConnection
  readonly target: TargetConnection
  readonly runtime: Runtime
  readonly emitter: Emitter<ReplicatorEvents>
  readonly fence: Fence
  /** Outlives the run. */
  readonly pageSize: PageSize
}

export interface SyncCounts {
  readonly startedAtMs: number
  readonly rowsRead: number
  readonly rowsChanged: number
}

/** What the steps of one sync run share: the connections, the state as last committed, and the counts. */
export class SyncSession {
  readonly context: SyncContext
  readonly startedAtMs: number
  /** As committed; a step replaces it only after its commit. */
  state: ReplicationState
  lastSyncAtMs: number | undefined
  rowsRead: number
  rowsChanged: number
  estimatedRows: number | undefined

  /** `counts`: of the parts of the run before. */
  constructor(context: SyncContext, state: ReplicationState, { lastSyncAtMs, counts }: { readonly lastSyncAtMs: number | undefined; readonly counts?: SyncCounts | undefined }) {
    this.context = context
    this.state = state
    this.lastSyncAtMs = lastSyncAtMs
    this.startedAtMs = counts?.startedAtMs ?? context.runtime.now()
    this.rowsRead = counts?.rowsRead ?? 0
    this.rowsChanged = counts?.rowsChanged ?? 0
  }

  get counts(): SyncCounts {
    return { startedAtMs: this.startedAtMs, rowsRead: this.rowsRead, rowsChanged: this.rowsChanged }
  }

  get schema(): KnownSchema {
    if (this.state.schema === undefined) throw new TidemarkError('INTERNAL', 'A step ran before the table was described.')
    return this.state.schema
  }

  /** The source table, as requests name it. */
  get sourceTable(): TableSchema {
    return { ...this.schema, ref: this.context.replication.table, estimatedRows: this.estimatedRows }
  }

  get pageSize(): PageSize {
    return this.context.pageSize
  }

  get key(): readonly string[] {
    return effectiveKey(this.context.replication, this.schema)
  }

  get columns(): readonly ColumnSchema[] {
    return copiedColumns(this.context.replication, this.schema)
  }

  get targetTable(): TargetTable {
    return targetTableOf(this.context.replication, this.schema)
  }

  /** A checkpoint of `state`, to be written with the rows it speaks of. */
  commitOf(state: ReplicationState): Commit {
    const { replication, fence } = this.context
    const newest = state.cursor.marks.at(-1)?.cursor ?? state.cursor.settled
    return {
      fence,
      checkpoint: {
        name: replication.name, state: encodeState(state), lastSyncAtMs: this.lastSyncAtMs, lastSyncValue: newest?.tracking,
      },
    }
  }

  /** Writes a checkpoint without rows. */
  async save(state: ReplicationState): Promise<void> {
    await this.context.target.save(this.commitOf(state))
    this.state = state
  }

  /** Writes rows with the checkpoint that covers them. */
  async apply(rows: { readonly upserts: readonly RowValues[]; readonly deletes: readonly RowValues[] }, state: ReplicationState): Promise<number> {
    const atMs = this.context.runtime.now()
    const result = await this.context.target.apply({ table: this.targetTable, ...rows, atMs }, this.commitOf(state))
    this.state = state
    this.rowsChanged += result.changed + result.deleted
    return result.changed + result.deleted
  }

  observePage(rows: readonly RowValues[]): void {
    this.rowsRead += rows.length
    this.pageSize.observe(rows.length, rowBytes(rows))
  }

  progress(phase: SyncPhase, rows: number): void {
    const { emitter, replication, runtime } = this.context
    emitter.emit('sync:progress', {
      name: replication.name, phase, rows, estimatedRows: this.estimatedRows, durationMs: runtime.now() - this.startedAtMs,
    })
  }
}

export function effectiveKey(replication: ResolvedReplication, schema: Pick<TableSchema, 'key'>): readonly string[] {
  return replication.key ?? schema.key
}

/** The columns that the copy takes: all, or those asked for together with the key. */
export function copiedColumns(replication: ResolvedReplication, schema: Pick<TableSchema, 'columns' | 'key'>): readonly ColumnSchema[] {
  const { columns } = replication
  if (columns === undefined) return schema.columns
  const wanted = new Set([...columns, ...effectiveKey(replication, schema)])
  return schema.columns.filter((column) => wanted.has(column.name))
}

export function targetTableOf(replication: ResolvedReplication, schema: KnownSchema): TargetTable {
  const columns = copiedColumns(replication, schema)
  const names = new Set(columns.map((column) => column.name))
  const { secondaryUniques } = replication
  return {
    name: replication.targetTable,
    columns,
    key: effectiveKey(replication, schema),
    indexes: schema.indexes.filter((index) => index.columns.every((name) => names.has(name)) && (!index.unique || secondaryUniques !== 'none')),
    enforceUniques: secondaryUniques === 'unique',
    deletedAtColumn: replication.softDeleteColumn,
    origin: `${replication.source.name}:${replication.sourceTable}`,
  }
}
