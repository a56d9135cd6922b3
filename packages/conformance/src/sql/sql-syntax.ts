import type { Value } from '@tidemark/core/adapter'
import { hex } from '../assert/cell.ts'
import type { ColumnKind, ColumnSpec } from '../harness/table-spec.ts'

/** How one engine writes names, types and literals. Pure text: no driver is needed. */
export interface SqlSyntax {
  quote(name: string): string
  /** DDL type of a column. Key columns may need another one: MySQL indexes no unbounded text. */
  type(column: ColumnSpec, inKey: boolean): string
  /** A value as a literal of the column's type. */
  literal(value: Value, kind: ColumnKind): string
}

const quoteDouble = (name: string): string => `"${name.replaceAll('"', '""')}"`
const quoteBacktick = (name: string): string => `\`${name.replaceAll('`', '``')}\``

const POSTGRES_TYPES: Readonly<Record<ColumnKind, string>> = {
  int: 'integer', bigint: 'bigint', real: 'double precision', decimal: 'numeric(30,10)', text: 'text', bool: 'boolean', blob: 'bytea',
  timestamp: 'timestamp(6)', date: 'date',
}

export const postgresSyntax: SqlSyntax = {
  quote: quoteDouble,
  type: ({ kind }) => POSTGRES_TYPES[kind],
  literal: (value, kind) => {
    if (value instanceof Uint8Array) return `decode('${hex(value)}', 'hex')`
    // The server itself refuses U+0000 here, whatever a driver does with it in a statement.
    if (typeof value === 'string' && kind === 'text') return `convert_from(decode('${textHex(value)}', 'hex'), 'UTF8')`
    return typeof value === 'string' ? `'${value}'::${POSTGRES_TYPES[kind]}` : scalar(value, kind)
  },
}

const MYSQL_TYPES: Readonly<Record<ColumnKind, string>> = {
  int: 'int', bigint: 'bigint', real: 'double', decimal: 'decimal(30,10)', text: 'longtext', bool: 'tinyint(1)', blob: 'longblob',
  timestamp: 'datetime(6)', date: 'date',
}

/** Text keys stay below the 767 bytes that old servers index. */
const MYSQL_KEY_TYPES: Partial<Record<ColumnKind, string>> = { text: 'varchar(150)', blob: 'varbinary(255)' }

/** MySQL and MariaDB. The database's default character set must be utf8mb4. */
export const mysqlSyntax: SqlSyntax = {
  quote: quoteBacktick,
  type: ({ kind }, inKey) => (inKey ? MYSQL_KEY_TYPES[kind] : undefined) ?? MYSQL_TYPES[kind],
  literal: (value, kind) => {
    if (value instanceof Uint8Array) return `x'${hex(value)}'`
    // Independent of sql_mode and of escapes.
    if (typeof value === 'string' && kind === 'text') return `convert(x'${textHex(value)}' using utf8mb4)`
    return typeof value === 'string' ? `'${value.replace('T', ' ')}'` : scalar(value, kind)
  },
}

const SQLITE_TYPES: Readonly<Record<ColumnKind, string>> = {
  int: 'integer', bigint: 'bigint', real: 'real', decimal: 'text', text: 'text', bool: 'integer', blob: 'blob', timestamp: 'text', date: 'text',
}

/** SQLite has no types for decimals and times: the columns are text, and the kinds are what the user makes of them. */
export const sqliteSyntax: SqlSyntax = {
  quote: quoteDouble,
  type: ({ kind }) => SQLITE_TYPES[kind],
  literal: (value, kind) => {
    if (value instanceof Uint8Array) return `x'${hex(value)}'`
    return typeof value === 'string' ? `cast(x'${textHex(value)}' as text)` : scalar(value, kind)
  },
}

/**
 * NULL, truth values and numbers are written alike everywhere. A float keeps its point, or an engine reads a decimal; a number in a
 * column that takes anything is one too.
 */
function scalar(value: Value, kind: ColumnKind): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  return kind === 'real' || (kind === 'blob' && typeof value === 'number') ? Number(value).toExponential() : String(value)
}

function textHex(text: string): string {
  return hex(new TextEncoder().encode(text))
}
