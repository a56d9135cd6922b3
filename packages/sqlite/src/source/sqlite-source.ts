import type {
  AbortOptions, DescribeTableOptions, FenceRequest, ReadByKeyRequest, ReadRowsRequest, RowPage, RowValues, SourceCapabilities, SourceConnection,
  SourceDialect, TableRef, TableSchema,
} from '@tidemark/core/adapter'
import type { HostForm } from '../capture/value-reading.ts'
import { describeTable } from './describe-table.ts'
import { parseTableName } from './parse-table-name.ts'
import { readHighMark, type HighMark } from './read-high-mark.ts'
import { readRows } from './read-rows.ts'
import { readRowsByKey } from './read-rows-by-key.ts'
import { SourceReader } from './source-reader.ts'
import { SourceSession, type SourceDriver } from './source-session.ts'

export interface SqliteSourceConfig {
  readonly name: string
  /** Path or address without credentials. */
  readonly address: string
  /** Opens a driver. Called again after an error, which has closed the one before. */
  readonly open: () => Promise<SourceDriver>
  /** `bytes` for a driver that can't give every text as a string: one that cuts at NUL, or dies of bytes that are no UTF-8. `tagged` for one that has doubles only. */
  readonly textForm: HostForm
  /** Of one statement. Default 999, what every SQLite allows; some are built with more (sqlite.org, "Limits"), hosts may allow less. */
  readonly maxParameters?: number | undefined
  /** Whether the host refuses `PRAGMA schema_version`. Default false. */
  readonly hidesSchemaVersion?: boolean | undefined
}

const MAX_PARAMETERS = 999

/**
 * `grace`, though much of it is proved: SQLite has one writer at a time, so what a write transaction draws by itself (a
 * rowid, `datetime('now')`) commits before any later transaction draws its own, and a read sees every earlier commit. What the
 * application draws before it has the write lock is beyond any proof: a time that waits for the lock together with its row. That
 * wait is bounded by the writer's busy timeout, so `settleGraceMs` above it settles such values too.
 */
const CAPABILITIES: SourceCapabilities = {
  settling: 'grace',
  streamsRows: false,
  diagnoses: false,
  reportsSchemaVersion: true,
  keepsOrdinals: false,
  detectsRewind: false,
}

/** A source dialect from a driver: what `nodeSqliteSource` and `libsqlSource` are made of. Nothing is ever written to it. */
export function sqliteSource(config: SqliteSourceConfig): SourceDialect {
  return {
    name: config.name,
    address: config.address,
    capabilities: CAPABILITIES,
    parseTable: parseTableName,
    connect: (options) => connect(config, options),
  }
}

async function connect(config: SqliteSourceConfig, options: AbortOptions = {}): Promise<SourceConnection> {
  const session = new SourceSession(config.open)
  try {
    // Reads the file's first page now, so that a file that is no database is an error of connect() and not of the first page.
    await session.query({ text: 'SELECT count(*) FROM sqlite_master', signal: options.signal })
    const { textForm, maxParameters = MAX_PARAMETERS, hidesSchemaVersion = false } = config
    return new SqliteSourceConnection(session, new SourceReader(session, { textForm, maxParameters, hidesSchemaVersion }))
  } catch (error) {
    await session[Symbol.asyncDispose]()
    throw error
  }
}

class SqliteSourceConnection implements SourceConnection {
  readonly #session: SourceSession
  readonly #reader: SourceReader

  constructor(session: SourceSession, reader: SourceReader) {
    this.#session = session
    this.#reader = reader
  }

  describeTable(table: TableRef, options: DescribeTableOptions = {}): Promise<TableSchema> {
    return describeTable(this.#session, table, { ...options, hidesSchemaVersion: this.#reader.host.hidesSchemaVersion })
  }

  readRows(request: ReadRowsRequest): Promise<RowPage> {
    return readRows(this.#reader, request)
  }

  readRowsByKey(request: ReadByKeyRequest): Promise<readonly RowValues[]> {
    return readRowsByKey(this.#reader, request)
  }

  readHighMark(request: FenceRequest): Promise<HighMark> {
    return readHighMark(this.#reader, request)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]()
  }
}
