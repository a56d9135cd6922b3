import {
  TidemarkError, type AbortOptions, type Consistency, type CreateViewRequest, type ExportConnection, type ExportSource, type ExportView, type OpenViewRequest, type RowValues, type ViewRef,
} from '@tidemark/core/adapter'
import type { SqliteDriver } from '../driver.ts'
import { sourceError } from '../source/source-error.ts'
import { readExportSchema } from './read-export-schema.ts'
import { SqliteExportView } from './sqlite-export-view.ts'

/** Copies of a database that nobody writes to. Present where there is a file system. */
export interface SnapshotStore {
  /** Makes the copy of that name anew; gives what `open` takes. */
  create(name: string): Promise<string>
  /** `undefined` when it is gone. */
  open(token: string): Promise<SqliteDriver | undefined>
  /** One that is gone is no error. */
  drop(name: string): Promise<void>
}

export interface SqliteExportHost {
  /** Without credentials. */
  readonly address: string
  /** A connection that only reads, of its own. */
  readonly open: () => Promise<SqliteDriver>
  readonly snapshots?: SnapshotStore | undefined
}

/** A SQLite database, whatever its driver, as a source of exports. */
export function sqliteExportSource(host: SqliteExportHost): ExportSource {
  const consistencies: readonly Consistency[] = host.snapshots === undefined ? ['fuzzy'] : ['snapshot', 'fuzzy']
  return {
    name: 'sqlite',
    address: host.address,
    exports: { consistencies, durable: consistencies, rendersSql: true, readers: 1 },
    connectExport: () => Promise.resolve(new SqliteExportConnection(host)),
  }
}

class SqliteExportConnection implements ExportConnection {
  readonly #host: SqliteExportHost

  constructor(host: SqliteExportHost) {
    this.#host = host
  }

  /** A selection that is wrong is told before anything is copied. */
  async createView({ viewId, consistency, selection }: CreateViewRequest): Promise<ViewRef> {
    const snapshots = this.#snapshots(consistency)
    await this.#reading(async (query) => void await readExportSchema(query, selection))
    const token = snapshots === undefined ? '' : await mapped(() => snapshots.create(viewId))
    return { viewId, consistency, token, cut: undefined }
  }

  async openView(request: OpenViewRequest): Promise<ExportView> {
    const { consistency, token } = request.ref
    const snapshots = this.#snapshots(consistency)
    const driver = await mapped(() => (snapshots === undefined ? this.#host.open() : snapshots.open(token)))
    if (driver === undefined) throw new TidemarkError('SNAPSHOT_LOST', 'The copy that the export reads is gone.')
    try {
      return await SqliteExportView.open({ driver, request, isLive: consistency !== 'snapshot' })
    } catch (error) {
      await driver[Symbol.asyncDispose]()
      throw error
    }
  }

  async dropView({ viewId, consistency }: Pick<ViewRef, 'viewId' | 'consistency'>): Promise<void> {
    const snapshots = this.#snapshots(consistency)
    if (snapshots !== undefined) await mapped(() => snapshots.drop(viewId))
  }

  async checkIntegrity(_options?: AbortOptions): Promise<readonly string[]> {
    return this.#reading(async (query) => {
      const integrity = (await query('PRAGMA integrity_check')).map(([line]) => String(line)).filter((line) => line !== 'ok')
      const keys = (await query('PRAGMA foreign_key_check')).map(([table, , parent]) => `A row of '${String(table)}' refers to one of '${String(parent)}' that is not there.`)
      return [...integrity, ...new Set(keys)]
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }

  #snapshots(consistency: Consistency): SnapshotStore | undefined {
    if (consistency === 'fuzzy') return undefined
    if (consistency === 'snapshot' && this.#host.snapshots !== undefined) return this.#host.snapshots
    throw new TidemarkError('NOT_SUPPORTED', `This source has no '${consistency}' view.`)
  }

  async #reading<T>(work: (query: (sql: string) => Promise<readonly RowValues[]>) => Promise<T>): Promise<T> {
    await using driver = await mapped(() => this.#host.open())
    return await work((sql) => mapped(() => driver.query(sql)))
  }
}

async function mapped<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw sourceError(error)
  }
}
