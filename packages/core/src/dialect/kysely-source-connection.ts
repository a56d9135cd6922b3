import { sql, type Kysely, type TableMetadata } from 'kysely'
import type { RowValues, Value } from '../change/value.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Cursor, Mark } from './cursor.ts'
import { callKysely } from './kysely-source-errors.ts'
import {
  columnNamed, isAfter, isAt, nameOf, ordered, orderingOf, placeOf, selectRows, type AliasedQuery, type AliasedRow, type Ordering,
} from './kysely-source-query.ts'
import { KyselyRowStream } from './kysely-source-stream.ts'
import { describeKyselyTable, findTable } from './kysely-source-table.ts'
import { cursorText, valueReader } from './kysely-source-values.ts'
import type { KyselyTables, ResolvedKyselySource } from './kysely-source.ts'
import type {
  AbortOptions, DescribeTableOptions, FenceRequest, ReadByKeyRequest, ReadRowsRequest, RowPage, RowStream, SourceConnection, StreamRowsRequest,
} from './source.ts'
import type { ColumnSchema, TableRef, TableSchema } from './table.ts'

/** Keys of one query: small engines take about two thousand parameters. */
const PARAMETERS_PER_QUERY = 500

/** Reads any Kysely dialect page by page. Every page is one query, and one more where rows with NULL tracking may exist. */
export class KyselySourceConnection implements SourceConnection {
  readonly streamRows?: NonNullable<SourceConnection['streamRows']>
  readonly #database: Kysely<KyselyTables>
  readonly #source: ResolvedKyselySource
  #closed = false

  constructor(database: Kysely<KyselyTables>, source: ResolvedKyselySource) {
    this.#database = database
    this.#source = source
    if (source.capabilities.streamsRows) this.streamRows = (request) => this.#streamRows(request)
  }

  async describeTable(ref: TableRef, options: DescribeTableOptions = {}): Promise<TableSchema> {
    const metadata = findTable(await this.#introspect(options), ref)
    const hints = this.#source.config.tables?.[ref.name] ?? {}
    return describeKyselyTable(metadata, { ref, hints, overrides: options.overrides ?? {} })
  }

  async readRows(request: ReadRowsRequest): Promise<RowPage> {
    const { table, columns, key, tracking, after } = request
    const onlyNull = request.nullTracking === true && tracking !== undefined
    const ordering = orderingOf(table, onlyNull ? undefined : tracking, key)
    // Taken before the read: whatever the read sees is at least this new.
    const readAtMs = this.#source.nowMs()
    let query = ordered(selectRows(this.#database, ordering, columns), ordering).limit(request.limit)
    if (tracking !== undefined) query = query.where(nullTest(columnNamed(table, tracking), onlyNull))
    if (after !== undefined) query = query.where(isAfter(ordering, placeOf(after, ordering)))
    const rows = await this.#run(query, request)
    return {
      rows: readRows(rows, columns),
      last: cursorOf(rows.at(-1), ordering, !onlyNull && tracking !== undefined),
      fence: String(readAtMs),
      settledMarks: this.#countSettled(request.marks ?? [], readAtMs),
      isLast: rows.length < request.limit,
      hasNullTracking: await this.#hasNull(request),
      cursorAhead: after !== undefined && rows.length === 0 && !(await this.#exists(ordering, after, request)),
      schemaVersion: undefined,
    }
  }

  async readRowsByKey(request: ReadByKeyRequest): Promise<readonly RowValues[]> {
    const { table, columns, key, keys } = request
    const ordering = orderingOf(table, undefined, key)
    const found: RowValues[] = []
    const keysPerQuery = Math.max(1, Math.floor(PARAMETERS_PER_QUERY / key.length))
    this.#check(request)
    for (let start = 0; start < keys.length; start += keysPerQuery) {
      const wanted = keys.slice(start, start + keysPerQuery).map((values) => isAt(ordering.position, values))
      const query = selectRows(this.#database, ordering, columns).where(sql<boolean>`(${sql.join(wanted, sql` or `)})`)
      found.push(...readRows(await this.#run(query, request), columns))
    }
    return found
  }

  async readHighMark(request: FenceRequest): Promise<{ readonly cursor: Cursor | undefined; readonly fence: string; readonly hasNullTracking: boolean }> {
    const { table, key, tracking } = request
    const ordering = orderingOf(table, tracking, key)
    const fence = String(this.#source.nowMs())
    const query = ordered(selectRows(this.#database, ordering, []), ordering, 'desc').where(nullTest(columnNamed(table, tracking), false)).limit(1)
    const rows = await this.#run(query, request)
    return { cursor: cursorOf(rows[0], ordering, true), fence, hasNullTracking: await this.#hasNull(request) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#database.destroy()
  }

  async #streamRows(request: StreamRowsRequest): Promise<RowStream> {
    this.#check(request)
    const { table, columns, key, after, signal } = request
    const ordering = orderingOf(table, undefined, key)
    const readAtMs = this.#source.nowMs()
    let query = ordered(selectRows(this.#database, ordering, columns), ordering)
    if (after !== undefined) query = query.where(isAfter(ordering, placeOf(after, ordering)))
    return new KyselyRowStream({
      rows: query.stream(), columns, position: ordering.position, signal, fence: String(readAtMs),
      settles: (mark) => this.#isSettled(mark, readAtMs),
      call: (work) => this.#guarded(work, { table, columns: [...columns, ...ordering.position] }, { signal }),
    })
  }

  #run(query: AliasedQuery, request: AbortOptions & { readonly table: TableSchema; readonly columns?: readonly ColumnSchema[] }): Promise<readonly AliasedRow[]> {
    return this.#guarded(() => query.execute(), { table: request.table, columns: request.columns ?? [] }, request)
  }

  /**
   * A failed query is explained by looking, not by its message: is the table still there, are its columns?
   * Errors: `TABLE_UNKNOWN`, `COLUMN_UNKNOWN`, what `errorCode` says, `SOURCE_FAILED`.
   */
  async #guarded<T>(work: () => Promise<T>, meant: { readonly table: TableSchema; readonly columns: readonly ColumnSchema[] }, { signal }: AbortOptions): Promise<T> {
    this.#check({ signal })
    try {
      return await callKysely(work, { config: this.#source.config, fallback: 'SOURCE_FAILED', signal })
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'SOURCE_FAILED') throw error
      const metadata = findTable(await this.#introspect({ signal }), meant.table.ref)
      const current = describeKyselyTable(metadata, { ref: meant.table.ref, hints: {}, overrides: {} })
      for (const column of meant.columns) columnNamed(current, column.name)
      throw error
    }
  }

  #introspect({ signal }: AbortOptions): Promise<readonly TableMetadata[]> {
    this.#check({ signal })
    const { introspection } = this.#database
    const options = { config: this.#source.config, fallback: 'SOURCE_FAILED', signal } as const
    return callKysely(() => introspection.getTables({ withInternalKyselyTables: true }), options)
  }

  async #hasNull(request: AbortOptions & { readonly table: TableSchema; readonly tracking?: string | undefined }): Promise<boolean> {
    if (request.tracking === undefined) return false
    const tracking = columnNamed(request.table, request.tracking)
    if (!tracking.nullable) return false
    const query = selectRows(this.#database, { table: request.table, position: [tracking] }, []).where(nullTest(tracking, true)).limit(1)
    return (await this.#run(query, { table: request.table, signal: request.signal })).length > 0
  }

  /** Whether the row that a cursor was taken from is still there. */
  async #exists(ordering: Ordering, cursor: Cursor, { signal }: AbortOptions): Promise<boolean> {
    const query = selectRows(this.#database, ordering, []).where(isAt(ordering.position, placeOf(cursor, ordering))).limit(1)
    return (await this.#run(query, { table: ordering.table, signal })).length > 0
  }

  /** Marks carry this source's own time in their fence: no other clock comes in. */
  #isSettled(mark: Mark, readAtMs: number): boolean {
    return readAtMs - Number(mark.fence) >= this.#source.graceMs
  }

  #countSettled(marks: readonly Mark[], readAtMs: number): number {
    const waiting = marks.findIndex((mark) => !this.#isSettled(mark, readAtMs))
    return waiting === -1 ? marks.length : waiting
  }

  #check({ signal }: AbortOptions): void {
    if (this.#closed) throw new TidemarkError('CLOSED', 'The source connection is closed.')
    if (signal?.aborted === true) throw new TidemarkError('ABORTED', 'The call was aborted.')
  }
}

function nullTest(column: ColumnSchema, isNull: boolean): ReturnType<typeof sql<boolean>> {
  return isNull ? sql<boolean>`${nameOf(column)} is null` : sql<boolean>`${nameOf(column)} is not null`
}

function readRows(rows: readonly AliasedRow[], columns: readonly ColumnSchema[]): readonly RowValues[] {
  const readers = columns.map(valueReader)
  return rows.map((row) => readers.map((read, index) => read(row[`c${index}`])))
}

function cursorOf(row: AliasedRow | undefined, { position }: Ordering, tracked: boolean): Cursor | undefined {
  if (row === undefined) return undefined
  const texts = position.map((column, index) => cursorText(readPosition(row, column, index)))
  return tracked ? { tracking: texts[0], key: texts.slice(1) } : { key: texts }
}

function readPosition(row: AliasedRow, column: ColumnSchema, index: number): Value {
  const value = valueReader(column)(row[`p${index}`])
  if (value === null) throw new TidemarkError('SOURCE_CORRUPT_RESULT', `Column ${JSON.stringify(column.name)} is NULL where rows are ordered by it.`)
  return value
}
