import {
  TidemarkError, type AbortOptions, type Consistency, type CreateViewRequest, type ExportConnection, type ExportSource, type ExportView, type OpenViewRequest, type RowValues, type ViewRef,
} from '@tidemark/core/adapter'
import type { BatchDriver, SqliteDriver } from '../driver.ts'
import type { BlockRenderer, RenderersRequest } from './ahead/block-renderer.ts'
import { readExportSchema } from './read-export-schema.ts'
import type { ExportTextForm } from './text-reading.ts'
import { dropUndo, makeUndo } from './undo/undo-log.ts'
import { SqliteExportView } from './sqlite-export-view.ts'
import { withSourceErrors } from './with-source-errors.ts'

/** A database as it was at one instant, for as long as it is held. */
export interface HeldSnapshot extends AsyncDisposable {
  /** What `SnapshotStore.open` takes once it is kept. */
  readonly token: string
  readonly driver: Pick<ExportDriver, 'query' | 'view'>
  openRenderers(request: RenderersRequest): Promise<readonly BlockRenderer[]>
  /** Copies it, so that it outlives this process. Aborted, it leaves nothing. */
  keep(options?: AbortOptions): Promise<void>
}

export interface SnapshotRequest extends AbortOptions {
  /** Tells one from others. */
  readonly name: string
  /** Whether `openRenderers` will be called, if the database is large. */
  readonly isRendered: boolean
}

/** Copies of a database that nobody writes to. Present where there is a file system. */
export interface SnapshotStore {
  /** The database as it is now, without a copy; `undefined` where that can't be had. What `create` left under the name is gone. */
  hold?(request: SnapshotRequest): Promise<HeldSnapshot | undefined>
  /** Makes the copy of that name anew; gives what `open` takes. Aborted, it leaves nothing. */
  create(request: SnapshotRequest): Promise<string>
  /** `undefined` when it is gone. */
  open(token: string): Promise<SqliteDriver | undefined>
  /** One that is gone is no error. */
  drop(name: string): Promise<void>
  /** What renders rows of a copy beside this thread, as long as they are open; may be none. Present where the host has threads. */
  openRenderers?(request: RenderersRequest): Promise<readonly BlockRenderer[]>
}

/** What a view reads. */
export type OpenedDatabase = Pick<HeldSnapshot, 'driver' | typeof Symbol.asyncDispose> & Partial<Pick<HeldSnapshot, 'openRenderers' | 'keep'>>

export interface SqliteExportHost {
  /** Without credentials. */
  readonly address: string
  /** A connection that only reads, of its own. */
  readonly open: () => Promise<ExportDriver>
  readonly snapshots?: SnapshotStore | undefined
  /** A connection that writes: with it, tables can be put back to an instant while they are written to. */
  readonly openWriter?: (() => Promise<BatchDriver>) | undefined
  /** Whether the host answers no questions about the file, such as its encoding or the version of its schema. Default false. */
  readonly hidesFile?: boolean | undefined
  /** Greatest length of a value that the host gives: longer rows are asked for in pieces. Default: none that is met. */
  readonly maxValueBytes?: number | undefined
  /** Default `string`. */
  readonly textForm?: ExportTextForm | undefined
}

/** What an export reads with. */
export type ExportDriver = Pick<BatchDriver, 'query' | 'view'> & AsyncDisposable

/** A SQLite database, whatever its driver, as a source of exports. */
export function sqliteExportSource(host: SqliteExportHost): ExportSource {
  const consistencies: readonly Consistency[] = [...(host.snapshots === undefined ? [] : ['snapshot'] as const), ...(host.openWriter === undefined ? [] : ['corrected'] as const), 'fuzzy']
  return {
    name: 'sqlite',
    address: host.address,
    exports: { consistencies, rendersSql: true, readers: 1 },
    connectExport: () => Promise.resolve(new SqliteExportConnection(host)),
  }
}

class SqliteExportConnection implements ExportConnection {
  readonly #host: SqliteExportHost
  /** Made and not opened yet. */
  readonly #held = new Map<string, HeldSnapshot>()

  constructor(host: SqliteExportHost) {
    this.#host = host
  }

  /** A selection that is wrong is told before anything is copied. */
  async createView({ viewId, consistency, selection, mayBeLost = false, readsBlocks = true, signal }: CreateViewRequest): Promise<ViewRef> {
    const { snapshots, openWriter } = this.#requireKind(consistency)
    const { hidesFile } = this.#host
    if (openWriter !== undefined) {
      await using writer = await withSourceErrors(openWriter)
      await withSourceErrors(() => makeUndo(writer, { viewId, selection, schema: { hidesFile } }))
      return { viewId, consistency, token: viewId, cut: undefined }
    }
    await this.#reading(async (query) => void await readExportSchema(query, selection, { hidesFile }))
    const token = snapshots === undefined ? '' : await withSourceErrors(() => this.#take(snapshots, { name: viewId, isRendered: readsBlocks, signal }, mayBeLost))
    return { viewId, consistency, token, cut: undefined }
  }

  async openView(request: OpenViewRequest): Promise<ExportView> {
    const { consistency, token } = request.ref
    const { snapshots } = this.#requireKind(consistency)
    const held = this.#held.get(request.ref.viewId)
    this.#held.delete(request.ref.viewId)
    const driver = held === undefined ? await withSourceErrors(() => (snapshots === undefined ? this.#host.open() : snapshots.open(token))) : undefined
    const opened = held ?? (driver === undefined ? undefined : unheld(driver, snapshots))
    if (opened === undefined) throw new TidemarkError('SNAPSHOT_LOST', 'The copy that the export reads is gone.')
    try {
      return await SqliteExportView.open({ opened, request, host: this.#host })
    } catch (error) {
      await opened[Symbol.asyncDispose]()
      throw error
    }
  }

  async dropView({ viewId, consistency }: Pick<ViewRef, 'viewId' | 'consistency'>): Promise<void> {
    const { snapshots, openWriter } = this.#requireKind(consistency)
    await this.#held.get(viewId)?.[Symbol.asyncDispose]()
    this.#held.delete(viewId)
    if (snapshots !== undefined) await withSourceErrors(() => snapshots.drop(viewId))
    if (openWriter === undefined) return
    await using writer = await withSourceErrors(openWriter)
    await withSourceErrors(() => dropUndo(writer, viewId))
  }

  async checkIntegrity(_options?: AbortOptions): Promise<readonly string[]> {
    if (this.#host.hidesFile === true) return []
    return this.#reading(async (query) => {
      const integrity = (await query('PRAGMA integrity_check')).map(([line]) => String(line)).filter((line) => line !== 'ok')
      const keys = (await query('PRAGMA foreign_key_check')).map(([table, , parent]) => `A row of '${String(table)}' refers to one of '${String(parent)}' that is not there.`)
      return [...integrity, ...new Set(keys)]
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const held of this.#held.values()) await held[Symbol.asyncDispose]()
    this.#held.clear()
  }

  /** Gives what opens it again. */
  async #take(snapshots: SnapshotStore, request: SnapshotRequest, mayBeLost: boolean): Promise<string> {
    const held = mayBeLost ? await snapshots.hold?.(request) : undefined
    if (held === undefined) return snapshots.create(request)
    this.#held.set(request.name, held)
    return held.token
  }

  /** What a view of that kind needs of the host. */
  #requireKind(consistency: Consistency): Pick<SqliteExportHost, 'snapshots' | 'openWriter'> {
    const { snapshots, openWriter } = this.#host
    if (consistency === 'fuzzy') return {}
    if (consistency === 'snapshot' && snapshots !== undefined) return { snapshots }
    if (consistency === 'corrected' && openWriter !== undefined) return { openWriter }
    throw new TidemarkError('NOT_SUPPORTED', `This source has no '${consistency}' view.`)
  }

  async #reading<T>(work: (query: (sql: string) => Promise<readonly RowValues[]>) => Promise<T>): Promise<T> {
    await using driver = await withSourceErrors(() => this.#host.open())
    return await work((sql) => withSourceErrors(() => driver.query(sql)))
  }
}

/** A driver of its own, and nothing to keep. */
function unheld(driver: ExportDriver, snapshots: SnapshotStore | undefined): OpenedDatabase {
  const { openRenderers } = snapshots ?? {}
  return { driver, ...(openRenderers === undefined ? {} : { openRenderers }), [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose]() }
}
