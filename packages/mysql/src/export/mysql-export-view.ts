import { TidemarkError, type AbortOptions, type BlockPage, type ExportPlan, type ExportRowPage, type ExportView, type ReadBlocksRequest, type ReadExportRowsRequest, type RenderOptions } from '@tidemark/core/adapter'
import { errnoOf } from '../errors.ts'
import type { Session } from '../open-session.ts'
import { blockLayout } from './block-layout.ts'
import { BlockReader } from './block-reader.ts'
import { lastingDefinition, showCreateTable } from './definitions.ts'
import { hasRows } from './has-rows.ts'
import type { HeldPlan } from './make-plan.ts'
import { RowReader, rowSelects } from './row-reader.ts'
import { parsePosition } from './scan-position.ts'
import { scanStatement } from './scan-statement.ts'
import type { TablePlan } from './table-plan.ts'
import { tableStamp } from './table-stamp.ts'
import { TableScan } from './table-scan.ts'
import { enterTable, leaveTable } from './without-lasting.ts'

export interface ExportViewOptions {
  readonly held: HeldPlan
  readonly render: RenderOptions
  readonly isSnapshot: boolean
  readonly timeoutMs: number
  /** The session that reads. Errors: `SNAPSHOT_LOST`. */
  session(options: AbortOptions): Promise<Session>
  /** Ends the statement that the session is at, from another connection. */
  interrupt(session: Session): Promise<void>
  close(): Promise<void>
}

const NO_SUCH_TABLE = 1146
const TABLE_DEF_CHANGED = 1412
const NO_SUCH_INDEX = 1176
const CHANGED: ReadonlySet<number | undefined> = new Set([NO_SUCH_TABLE, TABLE_DEF_CHANGED, NO_SUCH_INDEX])
const BROKEN: ReadonlySet<string> = new Set(['SOURCE_UNREACHABLE', 'SOURCE_BUSY', 'CLOSED', 'TIMEOUT'])

type Kind = 'blocks' | 'rows'

interface OpenScan {
  readonly kind: Kind
  readonly table: number
  readonly session: Session
  readonly reader: BlockReader | RowReader
}

/** One session, and on it one scan at a time. A page that goes on where the last one ended costs no statement. */
export class MysqlExportView implements ExportView {
  readonly #options: ExportViewOptions
  #open: OpenScan | undefined
  #isClosed = false

  constructor(options: ExportViewOptions) {
    this.#options = options
  }

  get plan(): ExportPlan {
    return this.#options.held.plan
  }

  async readBlocks({ table, after, bytes, signal }: ReadBlocksRequest): Promise<BlockPage> {
    return await this.#guarded(async () => {
      const reader = await this.#reader('blocks', { table, after, signal })
      if (!(reader instanceof BlockReader)) throw new TypeError('not a reader of blocks')
      const page = await reader.page(bytes, { signal })
      if (page.isLast) await this.#finish({ signal })
      return page
    })
  }

  async readRows({ table, after, limit, signal }: ReadExportRowsRequest): Promise<ExportRowPage> {
    return await this.#guarded(async () => {
      const reader = await this.#reader('rows', { table, after, signal })
      if (!(reader instanceof RowReader)) throw new TypeError('not a reader of rows')
      const page = await reader.page(limit, { signal })
      if (page.isLast) await this.#finish({ signal })
      return page
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#open = undefined
    await this.#options.close()
  }

  async #reader(kind: Kind, at: AbortOptions & { readonly table: number; readonly after: string | undefined }): Promise<BlockReader | RowReader> {
    if (this.#isClosed) throw new TidemarkError('CLOSED', 'The view was closed.')
    const open = this.#open
    if (open?.session.link.isUsable === true && open.kind === kind && open.table === at.table && open.reader.position === at.after) return open.reader
    await this.#finish(at)
    const plan = this.#options.held.tables[at.table]
    if (plan === undefined) throw new TypeError(`the plan has no table ${at.table}`)
    const session = await this.#options.session(at)
    await this.#enter(session, plan, at)
    const reader = this.#scan(kind, { session, plan, after: at.after })
    this.#open = { kind, table: at.table, session, reader }
    return reader
  }

  #scan(kind: Kind, { session, plan, after }: { readonly session: Session; readonly plan: TablePlan; readonly after: string | undefined }): BlockReader | RowReader {
    const { render, timeoutMs } = this.#options
    const from = parsePosition(after)
    if (kind === 'rows') return new RowReader(new TableScan(session, scanStatement(plan, rowSelects(plan), from), timeoutMs), plan, after)
    const layout = blockLayout(plan, render.maxStatementBytes)
    return new BlockReader(new TableScan(session, scanStatement(plan, layout.selects, from), timeoutMs), layout, after)
  }

  /**
   * The table is kept as it is for one scan, see `withoutLasting`. What was done to it before is found out here: the rows of the instant would come in
   * another form than the plan has, from another table, or not at all.
   */
  async #enter(session: Session, { relation, stamp }: TablePlan, { signal }: AbortOptions): Promise<void> {
    const { isSnapshot, held } = this.#options
    const { name } = relation
    const options = { signal, timeoutMs: this.#options.timeoutMs, expectedErrnos: [NO_SUCH_TABLE, TABLE_DEF_CHANGED] }
    if (isSnapshot) await enterTable(session, options)
    await hasRows(session, { table: name }, options)
    const isOther = stamp !== undefined && await tableStamp(session, relation, options) !== stamp
    const found = await showCreateTable(session, name, options)
    if (isOther || lastingDefinition(found) !== lastingDefinition(held.definitions.tables.get(name) ?? '')) throw changed()
  }

  async #finish({ signal }: AbortOptions): Promise<void> {
    const open = this.#open
    this.#open = undefined
    if (open === undefined || !open.session.link.isUsable) return
    await open.reader.scan.stop(async () => await this.#options.interrupt(open.session))
    if (this.#options.isSnapshot) await leaveTable(open.session, { signal, timeoutMs: this.#options.timeoutMs })
  }

  async #guarded<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      throw this.#explain(error)
    }
  }

  #explain(error: unknown): unknown {
    if (!(error instanceof TidemarkError)) return error
    if (CHANGED.has(errnoOf(error))) return changed(error)
    if (this.#options.isSnapshot && !this.#isClosed && BROKEN.has(error.code)) return new TidemarkError('SNAPSHOT_LOST', 'The connection that held the snapshot is gone.', { cause: error })
    return error
  }
}

function changed(cause?: TidemarkError): TidemarkError {
  return new TidemarkError('SCHEMA_CHANGED', 'A table is not what it was when the export began.', cause === undefined ? {} : { cause })
}
