import { TidemarkError, type AbortOptions, type BlockPage, type ExportPlan, type ExportRowPage, type ExportView, type OpenViewRequest, type ReadBlocksRequest, type ReadExportRowsRequest, type RowValues } from '@tidemark/core/adapter'
import type { BlockRenderer } from './ahead/block-renderer.ts'
import { BlocksAhead } from './ahead/blocks-ahead.ts'
import { BlockReader } from './block-reader.ts'
import type { ExportedTable } from './exported-table.ts'
import { LiveSchema } from './live-schema.ts'
import { readExportSchema, type ExportSchema, type ExportSchemaOptions } from './read-export-schema.ts'
import { RowReader } from './row-reader.ts'
import type { OpenedDatabase, SqliteExportHost } from './sqlite-export-source.ts'
import type { ExportQuery } from './read-exported-table.ts'
import { textReading, type TextReading } from './text-reading.ts'
import { corrected } from './undo/corrected-rows.ts'
import { undoNames } from './undo/undo-names.ts'
import { withSourceErrors } from './with-source-errors.ts'

type Reading = OpenedDatabase['driver']

export interface SqliteExportViewOptions {
  readonly opened: OpenedDatabase
  readonly request: OpenViewRequest
  readonly host: SqliteExportHost
}

/** A database, or a copy of one, as it is read for an export. */
export class SqliteExportView implements ExportView {
  readonly #options: SqliteExportViewOptions
  readonly #reading: TextReading
  readonly #schema: ExportSchema
  /** `undefined` of a copy, which nobody alters. */
  readonly #live: LiveSchema | undefined
  /** Of a copy only: a live database is read under one lock at a time. */
  readonly #openRenderers: (() => Promise<readonly BlockRenderer[]>) | undefined
  #renderers: Promise<readonly BlockRenderer[]> | undefined
  readonly keep?: (options?: AbortOptions) => Promise<void>
  readonly #blocks = new Map<number, Pick<BlocksAhead, 'read'>>()
  readonly #rows = new Map<number, RowReader>()

  /** Errors: as `ExportConnection.openView`. */
  static async open(options: SqliteExportViewOptions): Promise<SqliteExportView> {
    const { opened: { driver }, request: { selection, ref, signal }, host } = options
    const schemaOptions = schemaOptionsOf(options)
    const read = (): Promise<ExportSchema> => readExportSchema((sql) => query(driver, sql, signal), selection, schemaOptions)
    const { textForm = 'string' } = host
    const [[encoding = 'UTF-8'] = []] = textForm === 'bytes' ? await query(driver, 'SELECT encoding FROM pragma_encoding', signal) : []
    const reading = textReading(textForm, String(encoding))
    if (ref.consistency === 'snapshot') return new SqliteExportView({ ...options, reading }, await read(), undefined)
    const live = new LiveSchema({ read, hidesFile: host.hidesFile === true, viewId: ref.consistency === 'corrected' ? ref.viewId : undefined })
    return new SqliteExportView({ ...options, reading }, await live.open((sql) => query(driver, sql, signal)), live)
  }

  private constructor(options: SqliteExportViewOptions & { readonly reading: TextReading }, schema: ExportSchema, live: LiveSchema | undefined) {
    this.#options = options
    this.#reading = options.reading
    this.#schema = schema
    this.#live = live
    const { opened: { openRenderers, keep }, request: { ref: { token }, render } } = options
    if (live === undefined && openRenderers !== undefined) this.#openRenderers = () => openRenderers({ token, tables: schema.tables, render })
    if (keep !== undefined) this.keep = (given) => withSourceErrors(() => keep(given))
  }

  get plan(): ExportPlan {
    return this.#schema.plan
  }

  async readBlocks({ table, after, bytes, signal }: ReadBlocksRequest): Promise<BlockPage> {
    requireGoingOn(signal)
    const reader = this.#blocks.get(table) ?? this.#blockReader(table)
    this.#blocks.set(table, reader)
    return reader.read(after, bytes)
  }

  async readRows(request: ReadExportRowsRequest): Promise<ExportRowPage> {
    requireGoingOn(request.signal)
    let reader = this.#rows.get(request.table)
    if (reader === undefined) {
      reader = new RowReader({ table: this.#table(request.table), query: (sql) => this.#page(sql, true), reading: this.#reading })
      this.#rows.set(request.table, reader)
    }
    return reader.read(request)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const renderer of await this.#renderers ?? []) await renderer[Symbol.asyncDispose]()
    } finally {
      await this.#options.opened[Symbol.asyncDispose]()
    }
  }

  #blockReader(index: number): Pick<BlocksAhead, 'read'> {
    const table = this.#table(index)
    const query: ExportQuery = (sql) => this.#page(sql, false)
    const reader = new BlockReader({ table, render: this.#options.request.render, query, reading: this.#reading, maxValueBytes: this.#options.host.maxValueBytes })
    const isWholeTable = table.where === undefined && table.limit === undefined && table.source === undefined && !table.isVirtual
    if (!isWholeTable || this.#openRenderers === undefined) return { read: (after, bytes) => reader.read({ after, bytes }) }
    return new BlocksAhead({ index, table, reader, query, renderers: () => this.#renderers ??= this.#begunRenderers() })
  }

  /** None where they can't be had: this thread renders alone then, and no page fails for it. */
  async #begunRenderers(): Promise<readonly BlockRenderer[]> {
    try {
      return await this.#openRenderers?.() ?? []
    } catch {
      return []
    }
  }

  #table(index: number): ExportedTable {
    const table = this.#schema.tables[index]
    if (table === undefined) throw new RangeError('The plan has no table of this number.')
    const { ref } = this.#options.request
    return ref.consistency === 'corrected' ? corrected(table, undoNames(ref.viewId).table(index)) : table
  }

  /** Under one view with what tells whether the tables are still those of the plan. */
  async #page(sql: string, bigints: boolean): Promise<readonly RowValues[]> {
    const { opened: { driver } } = this.#options
    if (this.#live === undefined) return bigints ? (await views(driver, [sql], bigints))[0] ?? [] : query(driver, sql)
    const [marks = [], rows = []] = await views(driver, [this.#live.marksSql, sql], bigints)
    await this.#live.require(marks)
    return rows
  }
}

function schemaOptionsOf({ request: { ref }, host }: SqliteExportViewOptions): ExportSchemaOptions {
  return { hidesFile: host.hidesFile, counters: ref.consistency === 'corrected' ? undoNames(ref.viewId).counters : undefined }
}

function query(driver: Reading, sql: string, signal?: AbortSignal): Promise<readonly RowValues[]> {
  requireGoingOn(signal)
  return withSourceErrors(() => driver.query(sql))
}

function views(driver: Reading, sqls: readonly string[], bigints: boolean): Promise<readonly (readonly RowValues[])[]> {
  return withSourceErrors(() => driver.view(sqls.map((sql) => ({ sql })), { bigints }))
}

function requireGoingOn(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new TidemarkError('ABORTED', 'The export was aborted.')
}
