import {
  TidemarkError, type AbortOptions, type Cursor, type DescribeTableOptions, type FenceRequest, type Finding, type Mark, type ReadByKeyRequest,
  type ReadRowsRequest, type RowPage, type RowStream, type RowValues, type SourceConnection, type StreamRowsRequest, type TableRef,
  type TableSchema, type Value,
} from '@tidemark/core/adapter'
import type { RowRecord } from '../harness/table-spec.ts'
import { compareLists } from './compare-values.ts'
import { Lifetime } from './lifetime.ts'
import { describeMemoryTable } from './memory-catalogue.ts'
import { valueText, type MemoryTable } from './memory-database.ts'
import type { MemorySourceConfig } from './memory-source.ts'
import { MemoryRowStream } from './memory-row-stream.ts'

/** The order of a read: which columns, and their cursor. */
interface Ordering {
  readonly tracking: string | undefined
  readonly key: readonly string[]
}

export class MemorySourceConnection implements SourceConnection {
  readonly #config: MemorySourceConfig
  readonly #lifetime = new Lifetime()
  readonly streamRows?: NonNullable<SourceConnection['streamRows']>
  readonly diagnose?: NonNullable<SourceConnection['diagnose']>

  constructor(config: MemorySourceConfig) {
    this.#config = config
    if (config.capabilities.streamsRows) this.streamRows = (request) => this.#streamRows(request)
    if (config.capabilities.diagnoses) this.diagnose = (request) => this.#diagnose(request)
  }

  async describeTable(ref: TableRef, options: DescribeTableOptions = {}): Promise<TableSchema> {
    const table = await this.#open(ref, [], options)
    return describeMemoryTable(table, options.overrides)
  }

  async readRows(request: ReadRowsRequest): Promise<RowPage> {
    const { key, tracking } = request
    const table = await this.#open(request.table.ref, [...namesOf(request), ...(tracking === undefined ? [] : [tracking])], request)
    const ordering = request.nullTracking === true ? { tracking: undefined, key } : { tracking, key }
    const all = [...table.rows.values()]
    const isNull = (row: RowRecord): boolean => tracking !== undefined && (row[tracking] ?? null) === null
    const ordered = sortRows(all.filter((row) => isNull(row) === (request.nullTracking === true)), ordering)
    const after = ordered.filter((row) => isAfter(row, request.after, ordering))
    const page = after.slice(0, request.limit)
    return {
      rows: page.map((row) => project(row, request.columns)),
      last: cursorOf(page.at(-1), ordering),
      fence: this.#fence(),
      settledMarks: this.#countSettled(request.marks ?? []),
      isLast: after.length <= request.limit,
      hasNullTracking: all.some(isNull),
      cursorAhead: request.after !== undefined && after.length === 0 && !isReached(ordered.at(-1), request.after, ordering),
      schemaVersion: this.#config.capabilities.reportsSchemaVersion ? String(table.version) : undefined,
    }
  }

  async readRowsByKey(request: ReadByKeyRequest): Promise<readonly RowValues[]> {
    const table = await this.#open(request.table.ref, namesOf(request), request)
    const wanted = new Set(request.keys.map((key) => JSON.stringify(key.map(valueText))))
    const keyOf = (row: RowRecord): string => JSON.stringify(request.key.map((name) => valueText(row[name] ?? null)))
    return [...table.rows.values()].filter((row) => wanted.has(keyOf(row))).map((row) => project(row, request.columns))
  }

  async readHighMark(request: FenceRequest): Promise<{ readonly cursor: Cursor | undefined; readonly fence: string; readonly hasNullTracking: boolean }> {
    const { key, tracking } = request
    const table = await this.#open(request.table.ref, [tracking, ...key], request)
    const all = [...table.rows.values()]
    const known = all.filter((row) => (row[tracking] ?? null) !== null)
    return {
      cursor: cursorOf(sortRows(known, { tracking, key }).at(-1), { tracking, key }),
      fence: this.#fence(),
      hasNullTracking: known.length < all.length,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.close()
  }

  async #streamRows(request: StreamRowsRequest): Promise<RowStream> {
    const table = await this.#open(request.table.ref, namesOf(request), request)
    const ordering: Ordering = { tracking: undefined, key: request.key }
    const rows = sortRows([...table.rows.values()], ordering).filter((row) => isAfter(row, request.after, ordering))
    return new MemoryRowStream({
      rows: rows.map((row) => ({ values: project(row, request.columns), key: request.key.map((name) => valueText(row[name] ?? null)) })),
      fence: this.#fence(),
      settles: (mark) => this.#isSettled(mark),
      turn: () => this.#lifetime.turn(request.signal),
    })
  }

  async #diagnose(request: { readonly table: TableSchema; readonly tracking: string | undefined } & AbortOptions): Promise<readonly Finding[]> {
    const table = await this.#open(request.table.ref, [], request)
    if (request.tracking === undefined || table.spec.indexes?.some((index) => index.columns[0] === request.tracking) === true) return []
    return [{ id: 'tracking-index-missing', severity: 'warning', message: 'The tracking column has no index.' }]
  }

  async #open(ref: TableRef, columns: readonly string[], options: AbortOptions): Promise<MemoryTable> {
    await this.#lifetime.turn(options.signal)
    const table = this.#config.database.tables.get(ref.name)
    if (table === undefined) throw new TidemarkError('TABLE_UNKNOWN', 'There is no such table.')
    if (table.gate !== undefined) await this.#lifetime.wait(table.gate, options.signal)
    const known = new Set(table.spec.columns.map((column) => column.name))
    if (columns.some((name) => !known.has(name))) throw new TidemarkError('COLUMN_UNKNOWN', 'There is no such column.')
    return table
  }

  #fence(): string {
    const { capabilities, database, nowMs } = this.#config
    return String(capabilities.settling === 'grace' ? nowMs() : database.nextTransaction)
  }

  /** Every transaction that was open, or not yet begun, when the mark was taken has a lower number than its fence. */
  #isSettled(mark: Mark): boolean {
    const { capabilities, database, graceMs, nowMs } = this.#config
    if (capabilities.settling === 'grace') return nowMs() - Number(mark.fence) >= graceMs
    return database.oldestOpen >= Number(mark.fence)
  }

  #countSettled(marks: readonly Mark[]): number {
    const firstOpen = marks.findIndex((mark) => !this.#isSettled(mark))
    return firstOpen === -1 ? marks.length : firstOpen
  }
}

function namesOf(request: { readonly columns: readonly { readonly name: string }[]; readonly key: readonly string[] }): readonly string[] {
  return [...request.columns.map((column) => column.name), ...request.key]
}

function project(row: RowRecord, columns: readonly { readonly name: string }[]): RowValues {
  return columns.map((column) => row[column.name] ?? null)
}

function positionOf(row: RowRecord, { tracking, key }: Ordering): readonly Value[] {
  return [...(tracking === undefined ? [] : [tracking]), ...key].map((name) => row[name] ?? null)
}

function sortRows(rows: readonly RowRecord[], ordering: Ordering): readonly RowRecord[] {
  return rows.toSorted((left, right) => compareLists(positionOf(left, ordering), positionOf(right, ordering)))
}

function cursorOf(row: RowRecord | undefined, ordering: Ordering): Cursor | undefined {
  if (row === undefined) return undefined
  const key = ordering.key.map((name) => valueText(row[name] ?? null))
  return ordering.tracking === undefined ? { key } : { tracking: valueText(row[ordering.tracking] ?? null), key }
}

function isAfter(row: RowRecord, after: Cursor | undefined, ordering: Ordering): boolean {
  return after === undefined || compareLists(positionOf(row, ordering), placeOf(after, row, ordering)) > 0
}

/** Whether the greatest row stands at the cursor; beyond it there is nothing. */
function isReached(greatest: RowRecord | undefined, after: Cursor, ordering: Ordering): boolean {
  return greatest !== undefined && compareLists(positionOf(greatest, ordering), placeOf(after, greatest, ordering)) >= 0
}

/** The cursor's texts as values of the types that the row has in the same places. */
function placeOf(cursor: Cursor, row: RowRecord, ordering: Ordering): readonly Value[] {
  const texts = [...(ordering.tracking === undefined ? [] : [cursor.tracking ?? '']), ...cursor.key]
  return positionOf(row, ordering).map((value, index) => typed(texts[index] ?? '', value))
}

function typed(text: string, like: Value): Value {
  if (typeof like === 'bigint') return BigInt(text)
  if (typeof like === 'number') return Number(text)
  if (typeof like === 'boolean') return text === 'true'
  if (like instanceof Uint8Array) return Uint8Array.from(text.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16))
  return text
}
