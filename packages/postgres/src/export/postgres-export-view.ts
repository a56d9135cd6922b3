import {
  TidemarkError, type AbortOptions, type BlockPage, type ExportPlan, type ExportRowPage, type ExportView, type ReadBlocksRequest, type ReadExportRowsRequest, type RenderOptions,
} from '@tidemark/core/adapter'
import { quoteIdentifier, quoteTable } from '../quote.ts'
import { selectExpression } from '../select-expression.ts'
import { BlockReader } from './block-reader.ts'
import type { ExportTransaction } from './export-transaction.ts'
import type { ExportedTable } from './exported-table.ts'
import type { HeldPlan } from './make-plan.ts'
import { RowReader } from './row-reader.ts'
import { parsePlace } from './scan-place.ts'
import { scanStatements } from './scan-statements.ts'
import { TableScan } from './table-scan.ts'

export interface ExportViewOptions {
  readonly held: HeldPlan
  readonly render: RenderOptions
  /** A connection that sees the instant. Errors: `SNAPSHOT_LOST`. */
  readonly open: (options: AbortOptions) => Promise<ExportTransaction>
}

const BROKEN: ReadonlySet<string> = new Set(['SOURCE_UNREACHABLE', 'SOURCE_BUSY', 'CLOSED', 'TIMEOUT'])

interface OpenScan {
  readonly transaction: ExportTransaction
  readonly reader: BlockReader | RowReader
}

/** The tables at one instant. Each that is being read has a connection of its own, on which its scan goes on from page to page. */
export class PostgresExportView implements ExportView {
  readonly #options: ExportViewOptions
  readonly #scans = new Map<number, OpenScan>()

  constructor(options: ExportViewOptions) {
    this.#options = options
  }

  get plan(): ExportPlan {
    return this.#options.held.plan
  }

  async readBlocks({ table, after, bytes, signal }: ReadBlocksRequest): Promise<BlockPage> {
    return this.#reading({ table, after, signal }, BlockReader, (scan, exported) => new BlockReader({ scan, after, head: copyHead(exported), blockBytes: this.#options.render.maxStatementBytes }), (reader) => reader.page(bytes, { signal }))
  }

  async readRows({ table, after, limit, signal }: ReadExportRowsRequest): Promise<ExportRowPage> {
    return this.#reading({ table, after, signal }, RowReader, (scan) => new RowReader(scan, this.#options.held.schemas[table] ?? [], after), (reader) => reader.page(limit, { signal }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const table of this.#scans.keys()) this.#close(table)
    return Promise.resolve()
  }

  async #reading<Reader extends BlockReader | RowReader, Page extends { readonly isLast: boolean }>(
    at: ScanRequest, kind: new (...args: never[]) => Reader, make: (scan: TableScan, table: ExportedTable) => Reader, read: (reader: Reader) => Promise<Page>,
  ): Promise<Page> {
    try {
      const known = this.#scans.get(at.table)?.reader
      const isSame = known instanceof kind && known.position === at.after
      const reader = isSame ? known : await this.#open(at, kind, make)
      const page = await read(reader)
      if (page.isLast) this.#close(at.table)
      return page
    } catch (error) {
      // What was read of the scan and not given is lost with it: the next page begins another.
      this.#close(at.table)
      throw lostWith(error)
    }
  }

  async #open<Reader extends BlockReader | RowReader>(
    { table, after, signal }: ScanRequest, kind: new (...args: never[]) => Reader, make: (scan: TableScan, table: ExportedTable) => Reader,
  ): Promise<Reader> {
    this.#close(table)
    const exported = this.#options.held.tables[table]
    if (exported === undefined) throw new TypeError(`The plan has no table ${table}.`)
    const selects = kind.prototype === RowReader.prototype ? (this.#options.held.schemas[table] ?? []).map(selectExpression) : exported.columns.map(quoteIdentifier)
    const transaction = await this.#options.open({ signal })
    const scan = new TableScan({ transaction, openSecond: () => this.#openSecond(signal), statements: scanStatements(exported, selects), range: parsePlace(after).range })
    const reader = make(scan, exported)
    this.#scans.set(table, { transaction, reader })
    return reader
  }

  /** Where several tables are read side by side, the server is busy enough; where it takes no more connections, one does. */
  async #openSecond(signal: AbortSignal | undefined): Promise<ExportTransaction | undefined> {
    return this.#scans.size > 1 ? undefined : this.#options.open({ signal }).catch(() => undefined)
  }

  #close(table: number): void {
    const open = this.#scans.get(table)
    this.#scans.delete(table)
    open?.reader.close()
    open?.transaction.close()
  }
}

interface ScanRequest extends AbortOptions {
  readonly table: number
  readonly after: string | undefined
}

function copyHead(table: ExportedTable): string {
  return `COPY ${quoteTable(table)}${table.columns.length === 0 ? '' : ` (${table.columns.map(quoteIdentifier).join(', ')})`} FROM stdin;\n`
}

/** A connection that breaks takes no snapshot with it: the next one sees the same. Whether that is there still is found out then. */
function lostWith(error: unknown): unknown {
  if (!(error instanceof TidemarkError) || !BROKEN.has(error.code)) return error
  return error.retryable ? error : new TidemarkError('SOURCE_UNREACHABLE', 'The connection to the source broke off.', { cause: error, detail: error.detail })
}
