import { nodeSqliteStateStore, sqliteChanges, type SqliteChanges, type SqliteChangesOptions, type SqliteStateStore } from '@tidemark/node'
import type { TailOptions } from './tail-options.ts'
import type { TargetLocation } from './url.ts'

/** What `tail` captures of a SQLite database. */
export interface CaptureOptions extends Pick<TailOptions, 'authToken' | 'tables' | 'log'> {
  readonly location: TargetLocation
}

/** Of the table that the checkpoints of `tail` are kept in: no application's, so that it can go with the log. */
const TABLE_PREFIX = 'tidemark_tail_'

/** `--uninstall` looks at no table, yet a source has to name one. */
const NO_TABLE = '-'

/** The changes of the database; opens nothing yet. Errors: `CONFIG_INVALID`. */
export async function openChanges({ location, authToken, tables, log }: CaptureOptions): Promise<SqliteChanges> {
  const options: SqliteChangesOptions = { tables: tables.length === 0 ? [NO_TABLE] : tables, log }
  switch (location.kind) {
    case 'file':
      return sqliteChanges({ path: location.path }, options)
    case 'libsql':
      return (await import('@tidemark/libsql')).libsqlChanges({ url: location.url, authToken }, options)
    default:
      return location satisfies never
  }
}

/** Where `tail` keeps its checkpoints: in the database itself. */
export async function openCheckpoints({ location, authToken }: CaptureOptions): Promise<SqliteStateStore> {
  switch (location.kind) {
    case 'file':
      return nodeSqliteStateStore({ path: location.path, tablePrefix: TABLE_PREFIX })
    case 'libsql':
      return (await import('@tidemark/libsql')).libsqlStateStore({ url: location.url, authToken }, { tablePrefix: TABLE_PREFIX })
    default:
      return location satisfies never
  }
}
