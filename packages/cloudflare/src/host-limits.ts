import type { SqliteChangesHost, SqliteSourceConfig, StatementLimits } from '@tidemark/sqlite'

/** Of a table, and of what a query selects (developers.cloudflare.com, limits of Durable Objects and of D1). */
const MAX_COLUMNS = 100
export const MAX_ROW_BYTES = 2_000_000

/** What is alike in a Durable Object and in D1, which is one underneath. */
export const HOST: Pick<SqliteChangesHost, 'textForm' | 'maxColumns' | 'maxRowBytes' | 'hidesSchemaVersion'> = {
  // Integers come as doubles; D1 gives infinities as NULL.
  textForm: 'tagged', maxColumns: MAX_COLUMNS, maxRowBytes: MAX_ROW_BYTES, hidesSchemaVersion: true,
}

/** Of a value that a query gives. */
export const MAX_VALUE_BYTES = MAX_ROW_BYTES

export const MAX_PARAMETERS = 100

/** A statement has 100,000 bytes at most. */
export const IMPORT_LIMITS: StatementLimits = { maxParameters: MAX_PARAMETERS, maxLength: 32_000 }

export const SOURCE_HOST: Pick<SqliteSourceConfig, 'textForm' | 'maxParameters' | 'hidesSchemaVersion'> = { textForm: 'tagged', maxParameters: MAX_PARAMETERS, hidesSchemaVersion: true }
