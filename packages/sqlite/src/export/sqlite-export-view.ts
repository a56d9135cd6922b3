import { TidemarkError, type BlockPage, type ExportPlan, type ExportRowPage, type ExportView, type OpenViewRequest, type ReadBlocksRequest, type ReadExportRowsRequest, type RowValues } from '@tidemark/core/adapter'
import type { SqliteDriver } from '../driver.ts'
import { sourceError } from '../source/source-error.ts'
import { BlockReader } from './block-reader.ts'
import { readExportSchema, type ExportSchema } from './read-export-schema.ts'
import { RowReader } from './row-reader.ts'

export interface SqliteExportViewOptions {
  readonly driver: SqliteDriver
  readonly request: OpenViewRequest
  /** Whether tables may change under the reading. */
  readonly isLive: boolean
}

const SCHEMA_VERSION_SQL = 'PRAGMA schema_version'

/** A database, or a copy of one, as it is read for an export. */
export class SqliteExportView implements ExportView {
  readonly #options: SqliteExportViewOptions
  readonly #schema: ExportSchema
  readonly #blocks = new Map<number, BlockReader>()
  readonly #rows = new Map<number, RowReader>()
  #schemaVersion: unknown

  /** Errors: as `ExportConnection.openView`. */
  static async open(options: SqliteExportViewOptions): Promise<SqliteExportView> {
    const query = (sql: string): Promise<readonly RowValues[]> => read(options.driver, sql, options.request.signal)
    const [[version] = []] = options.isLive ? await query(SCHEMA_VERSION_SQL) : []
    return new SqliteExportView(options, await readExportSchema(query, options.request.selection), version)
  }

  private constructor(options: SqliteExportViewOptions, schema: ExportSchema, schemaVersion: unknown) {
    this.#options = options
    this.#schema = schema
    this.#schemaVersion = schemaVersion
  }

  get plan(): ExportPlan {
    return this.#schema.plan
  }

  async readBlocks({ table, after, bytes, signal }: ReadBlocksRequest): Promise<BlockPage> {
    await this.#requireSchema(signal)
    let reader = this.#blocks.get(table)
    if (reader === undefined) {
      reader = new BlockReader({ table: this.#table(table), render: this.#options.request.render, query: (sql) => read(this.#options.driver, sql, signal) })
      this.#blocks.set(table, reader)
    }
    return reader.read(after, bytes)
  }

  async readRows(request: ReadExportRowsRequest): Promise<ExportRowPage> {
    await this.#requireSchema(request.signal)
    let reader = this.#rows.get(request.table)
    if (reader === undefined) {
      reader = new RowReader({ table: this.#table(request.table), query: (sql) => read(this.#options.driver, sql, undefined, true) })
      this.#rows.set(request.table, reader)
    }
    return reader.read(request)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.driver[Symbol.asyncDispose]()
  }

  #table(index: number): ExportSchema['tables'][number] {
    const table = this.#schema.tables[index]
    if (table === undefined) throw new RangeError('The plan has no table of this number.')
    return table
  }

  /** Any change of the schema has it looked at again; one that is of no table in the dump is none. */
  async #requireSchema(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#options.isLive) return
    const { driver, request } = this.#options
    const [[version] = []] = await read(driver, SCHEMA_VERSION_SQL, signal)
    if (version === this.#schemaVersion) return
    const { plan } = await readExportSchema((sql) => read(driver, sql, signal), request.selection).catch(asChange)
    if (plan.schemaHash !== this.#schema.plan.schemaHash) throw changed()
    this.#schemaVersion = version
  }
}

async function read(driver: SqliteDriver, sql: string, signal: AbortSignal | undefined, bigints = false): Promise<readonly RowValues[]> {
  if (signal?.aborted === true) throw new TidemarkError('ABORTED', 'The export was aborted.')
  try {
    if (!bigints) return await driver.query(sql)
    const [rows = []] = await driver.view([{ sql }], { bigints })
    return rows
  } catch (error) {
    throw sourceError(error)
  }
}

function asChange(error: unknown): never {
  throw error instanceof TidemarkError && (error.code === 'TABLE_UNKNOWN' || error.code === 'NOTHING_SELECTED') ? changed() : error
}

function changed(): TidemarkError {
  return new TidemarkError('SCHEMA_CHANGED', 'A table of the export was changed or dropped while it was read.')
}
