import type { AbortOptions, ExportConnection, ExportSource, SourceConnection, SourceDialect, TableRef } from '@tidemark/core/adapter'
import { aborted } from './bounded.ts'
import { readConfig, type SourceIdentity } from './connection-settings.ts'
import { MysqlExportConnection } from './export/mysql-export-connection.ts'
import type { MysqlSourceConfig } from './mysql-config.ts'
import { MysqlSourceConnection } from './mysql-source-connection.ts'
import { parseTableName } from './parse-table-name.ts'

/**
 * MySQL 5.6 to 9 and MariaDB from 10.6 as a source of rows and of exports. Opens nothing by itself; SELECT on the tables is all it needs.
 *
 * Errors: `CONFIG_INVALID`, which never quotes a connection string or password.
 */
export function mysqlSource(config: MysqlSourceConfig): SourceDialect & ExportSource {
  return new MysqlSource(readConfig(config))
}

class MysqlSource implements SourceDialect, ExportSource {
  readonly name = 'mysql'
  readonly capabilities = {
    settling: 'locks', streamsRows: true, diagnoses: true, reportsSchemaVersion: true,
    // `ordinal_position` is a place: it moves when a column before it is dropped.
    keepsOrdinals: false, detectsRewind: false,
  } as const
  /** A snapshot lives in one connection. With it gone, for a restart or an error, the copy begins anew; correction from the log would change that. */
  readonly exports = { consistencies: ['snapshot', 'fuzzy'], rendersSql: true, readers: 1 } as const
  readonly address: string
  readonly #identity: SourceIdentity

  constructor(identity: SourceIdentity) {
    this.#identity = identity
    this.address = identity.address
  }

  parseTable(name: string): TableRef {
    return parseTableName(name, this.#identity.database)
  }

  async connect(options: AbortOptions = {}): Promise<SourceConnection> {
    const connection = new MysqlSourceConnection(this.#identity)
    await connection.open(options)
    return connection
  }

  async connectExport({ signal }: AbortOptions = {}): Promise<ExportConnection> {
    if (signal?.aborted === true) throw aborted()
    return new MysqlExportConnection(this.#identity)
  }
}
