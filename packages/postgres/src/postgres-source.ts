import type {
  AbortOptions, DescribeTableOptions, DiagnoseRequest, ExportConnection, ExportSource, FenceRequest, Finding, ReadByKeyRequest, ReadRowsRequest, RowPage, RowStream,
  RowValues, SourceCapabilities, SourceConnection, SourceDialect, StreamRowsRequest, TableRef, TableSchema,
} from '@tidemark/core/adapter'
import { addressOf } from './connect-target.ts'
import { describeTable } from './describe-table.ts'
import { diagnose } from './diagnose.ts'
import { PostgresExportConnection } from './export/postgres-export-connection.ts'
import { parseTableName } from './parse-table-name.ts'
import type { PostgresConfig } from './postgres-config.ts'
import { PostgresSession } from './postgres-session.ts'
import { readHighMark, type HighMark } from './read-high-mark.ts'
import { readRows } from './read-rows.ts'
import { readRowsByKey } from './read-rows-by-key.ts'
import { streamRows } from './stream-rows.ts'

const CAPABILITIES: SourceCapabilities = {
  settling: 'snapshot',
  streamsRows: true,
  diagnoses: true,
  reportsSchemaVersion: true,
  keepsOrdinals: true,
  detectsRewind: true,
}

/**
 * PostgreSQL 14 and later as a source of rows and of exports. Opens nothing by itself.
 *
 * Errors: `CONFIG_INVALID` for a connection string that can't be read.
 */
export function postgresSource(config: PostgresConfig): SourceDialect & ExportSource {
  return new PostgresSource(config)
}

class PostgresSource implements SourceDialect, ExportSource {
  readonly name = 'postgres'
  readonly capabilities = CAPABILITIES
  readonly exports = { consistencies: ['snapshot'], rendersSql: true, readers: 4 } as const
  readonly address: string
  readonly #config: PostgresConfig

  constructor(config: PostgresConfig) {
    this.#config = config
    this.address = addressOf(config)
  }

  parseTable(name: string): TableRef {
    return parseTableName(name, this.#config.defaultSchema ?? 'public')
  }

  async connect(options: AbortOptions = {}): Promise<SourceConnection> {
    const session = new PostgresSession(this.#config)
    try {
      // Opens the connection now, so that a wrong password is an error of connect() and not of the first page.
      await session.query({ text: 'SELECT 1', signal: options.signal })
      return new PostgresConnection(session)
    } catch (error) {
      await session[Symbol.asyncDispose]()
      throw error
    }
  }

  connectExport(): Promise<ExportConnection> {
    return Promise.resolve(new PostgresExportConnection(new PostgresSession(this.#config)))
  }
}

class PostgresConnection implements SourceConnection {
  readonly #session: PostgresSession

  constructor(session: PostgresSession) {
    this.#session = session
  }

  describeTable(table: TableRef, options: DescribeTableOptions = {}): Promise<TableSchema> {
    return describeTable(this.#session, table, options)
  }

  readRows(request: ReadRowsRequest): Promise<RowPage> {
    return readRows(this.#session, request)
  }

  readRowsByKey(request: ReadByKeyRequest): Promise<readonly RowValues[]> {
    return readRowsByKey(this.#session, request)
  }

  readHighMark(request: FenceRequest): Promise<HighMark> {
    return readHighMark(this.#session, request)
  }

  streamRows(request: StreamRowsRequest): Promise<RowStream> {
    return streamRows(this.#session, request)
  }

  diagnose(request: DiagnoseRequest): Promise<readonly Finding[]> {
    return diagnose(this.#session, request)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]()
  }
}
