import type { RowPage, SourceConnection, SourceDialect, TableSchema } from '@tidemark/core/adapter'
import type { D1Database } from '../d1-database.ts'

const INTEGER = { sourceType: 'INTEGER', logicalType: 'integer', storage: 'integer', scale: 0, nullable: false, onUnrepresentable: 'error' } as const
const TABLE: TableSchema = {
  ref: { name: 'users' }, kind: 'table', key: ['id'], indexes: [], estimatedRows: undefined, version: '1',
  columns: [{ ...INTEGER, name: 'id', ordinal: 1 }, { ...INTEGER, name: 'changed', ordinal: 2 }],
}

/** A table `users (id, changed)` of a D1 database as a source: what a replica in an object can be of, in a test without another server. `before` is awaited at each connect. */
export function d1Users(database: D1Database, before: () => Promise<void> = async () => {}): SourceDialect {
  return {
    name: 'd1-users', address: 'd1',
    capabilities: { settling: 'grace', streamsRows: false, diagnoses: false, reportsSchemaVersion: true, keepsOrdinals: true, detectsRewind: false },
    parseTable: (name) => ({ name }),
    connect: async () => {
      await before()
      return connection(database)
    },
  }
}

function connection(database: D1Database): SourceConnection {
  const query = async (sql: string, ...values: readonly unknown[]): Promise<readonly (readonly number[])[]> =>
    await database.prepare(sql).bind(...values).raw() as readonly (readonly number[])[] // both columns are integers
  return {
    describeTable: () => Promise.resolve(TABLE),
    readRows: async ({ tracking, after, limit, marks = [] }) => {
      const rows = tracking === undefined
        ? await query('SELECT id, changed FROM users WHERE id > ? ORDER BY id LIMIT ?', Number(after?.key[0] ?? -1), limit)
        : await query('SELECT id, changed FROM users WHERE (changed, id) > (?, ?) ORDER BY changed, id LIMIT ?', Number(after?.tracking ?? -1), Number(after?.key[0] ?? -1), limit)
      return pageOf(rows, { isTracked: tracking !== undefined, limit, marks: marks.length })
    },
    readRowsByKey: async ({ keys }) => query(`SELECT id, changed FROM users WHERE id IN (SELECT value FROM json_each(?))`, JSON.stringify(keys.map(([id]) => Number(id)))),
    readHighMark: async () => {
      const [row] = await query('SELECT id, changed FROM users ORDER BY changed DESC, id DESC LIMIT ?', 1)
      return { cursor: row === undefined ? undefined : { tracking: String(row[1]), key: [String(row[0])] }, fence: '', hasNullTracking: false }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

function pageOf(rows: readonly (readonly number[])[], { isTracked, limit, marks }: { readonly isTracked: boolean; readonly limit: number; readonly marks: number }): RowPage {
  const last = rows.at(-1)
  return {
    rows, fence: '', settledMarks: marks, isLast: rows.length < limit, hasNullTracking: false, cursorAhead: false, schemaVersion: TABLE.version,
    last: last === undefined ? undefined : { ...(isTracked ? { tracking: String(last[1]) } : {}), key: [String(last[0])] },
  }
}
