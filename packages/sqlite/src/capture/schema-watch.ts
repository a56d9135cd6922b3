import type { LogNames } from './log-names.ts'

/** How a database tells that its schema is another one. */
export interface SchemaWatch {
  /** SQL of one integer that differs when the schema does; below zero: the schema is not the one that was kept last. */
  readonly versionSql: string
  /** Statements that keep the schema as it is then, for `versionSql` to compare with. None where SQLite counts by itself. */
  readonly keepSql: readonly string[]
}

/** SQLite's own count, in the file's header: costs nothing. */
export const COUNTED: SchemaWatch = { versionSql: 'SELECT schema_version FROM pragma_schema_version', keepSql: [] }

/**
 * For hosts that refuse that pragma, as Cloudflare's do: the whole schema as text beside the log, compared within SQLite, so that only a
 * number leaves it. A look reads every entry of the schema table.
 */
export function keptWatch(names: LogNames): SchemaWatch {
  // Not one by one: a table that is dropped and made anew has the same words, but it takes our triggers along.
  const schema = `(SELECT group_concat(rowid || ' ' || type || ' ' || name || ' ' || tbl_name || ' ' || ifnull(sql, ''), char(10)) FROM sqlite_master)`
  const kept = (key: string): string => `(SELECT value FROM ${names.meta} WHERE key = '${key}')`
  return {
    versionSql: `SELECT CASE WHEN ${kept('schema')} IS ${schema} THEN ${kept('schema_version')} ELSE -1 END`,
    keepSql: [
      `INSERT INTO ${names.meta} VALUES ('schema_version', 1) ON CONFLICT (key) DO UPDATE SET value = value + 1`,
      `INSERT INTO ${names.meta} VALUES ('schema', ${schema}) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    ],
  }
}
