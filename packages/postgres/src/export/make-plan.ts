import { sha256Hex, TidemarkError, type AbortOptions, type ColumnSchema, type ExportPlan, type ExportSection, type ExportSelection } from '@tidemark/core/adapter'
import { describeTable } from '../describe-table.ts'
import type { PostgresSession } from '../postgres-session.ts'
import { quoteTable } from '../quote.ts'
import { readCountersOnly, readDefinitions, type Definitions } from './definitions/read-definitions.ts'
import type { ExportTransaction } from './export-transaction.ts'
import { displayName, type ExportedTable } from './exported-table.ts'
import { HEAD } from './head.ts'
import { selectTables } from './select-tables.ts'

/** A plan, with what reading by it takes. */
export interface HeldPlan {
  readonly plan: ExportPlan
  readonly tables: readonly ExportedTable[]
  /** As in `tables`. */
  readonly schemas: readonly (readonly ColumnSchema[])[]
}

export interface MakePlanRequest extends AbortOptions {
  readonly selection: ExportSelection
  /** For what is asked outside of the snapshot. */
  readonly session: PostgresSession
}

/**
 * Locks the tables against being altered for as long as the transaction lives, as pg_dump does, and then looks at what they are.
 * Errors: `TABLE_UNKNOWN`, `NOTHING_SELECTED`, `CONFIG_INVALID` for a condition that the server does not understand.
 */
export async function makePlan(transaction: ExportTransaction, { selection, session, signal }: MakePlanRequest): Promise<HeldPlan> {
  const options = { signal }
  const tables = await selectTables(transaction, selection, options)
  for (const table of tables) await transaction.run(`LOCK TABLE ONLY ${quoteTable(table)} IN ACCESS SHARE MODE`, options)
  await checkConditions(session, tables, options)
  const schemas: (readonly ColumnSchema[])[] = []
  for (const table of tables) schemas.push(await dataColumns(session, table, options))
  const isWhole = selection.tables === undefined
  const leftOut = isWhole ? await excluded(transaction, selection, { tables, signal }) : []
  const read = selection.content === 'data' ? readCountersOnly : readDefinitions
  const definitions = await read(transaction, { tables, isWhole, leftOut }, options)
  const [version] = await transaction.texts(`SELECT pg_catalog.current_setting('server_version')`, options)
  return {
    tables, schemas,
    plan: {
      tables: tables.map((table, index) => ({
        name: displayName(table), columns: schemas[index] ?? [], key: table.key, estimatedBytes: table.estimatedBytes,
        estimatedRows: table.limit === undefined || table.estimatedRows === undefined ? table.estimatedRows : Math.min(table.limit, table.estimatedRows),
      })),
      sections: sections(selection, definitions, tables.length),
      preamble: HEAD,
      schemaHash: await sha256Hex(new TextEncoder().encode(JSON.stringify([definitions.before, definitions.after, tables.map(({ oid, columns, where, limit }) => [oid, columns, where, limit])]))),
      engineVersion: `PostgreSQL ${version ?? ''}`,
      notes: definitions.notes,
    },
  }
}

function sections({ content }: ExportSelection, { before, after, counters }: Definitions, tables: number): readonly ExportSection[] {
  const rows: readonly ExportSection[] = content === 'schema' ? [] : Array.from({ length: tables }, (_, table) => ({ kind: 'rows', table }))
  return [
    { kind: 'statements', role: 'before', statements: [...HEAD, ...before] },
    ...rows,
    { kind: 'statements', role: 'after', statements: [...(content === 'schema' ? [] : counters), ...after] },
  ]
}

/** A text is kept where a value has no form that every target can hold. */
async function dataColumns(session: PostgresSession, { schema, name, columns }: ExportedTable, options: AbortOptions): Promise<readonly ColumnSchema[]> {
  const described = await describeTable(session, { schema, name }, options)
  return described.columns.filter((column) => columns.includes(column.name)).map((column) => ({ ...column, onUnrepresentable: 'text' }))
}

/** Tables that no definition may name. */
async function excluded(transaction: ExportTransaction, selection: ExportSelection, { tables, signal }: AbortOptions & { readonly tables: readonly ExportedTable[] }): Promise<readonly string[]> {
  if (selection.exclude.length === 0 && selection.excludePatterns.length === 0) return []
  const all = await selectTables(transaction, { ...selection, exclude: [], excludePatterns: [] }, { signal })
  return all.filter(({ oid }) => !tables.some((table) => table.oid === oid)).map(({ oid }) => oid)
}

/** Syntax, a column, function or type that is not there. */
const CONDITION_STATES: ReadonlySet<string | undefined> = new Set(['42601', '42703', '42883', '42804', '42704', '42P01', '22P02'])

async function checkConditions(session: PostgresSession, tables: readonly ExportedTable[], options: AbortOptions): Promise<void> {
  for (const table of tables) {
    if (table.where === undefined) continue
    try {
      await session.query({ text: `SELECT FROM ONLY ${quoteTable(table)} AS t WHERE (${table.where}\n) LIMIT 0`, signal: options.signal })
    } catch (error) {
      if (!(error instanceof TidemarkError) || !CONDITION_STATES.has(error.detail)) throw error
      const message = `The server does not understand the condition on table ${displayName(table)}.`
      throw new TidemarkError('CONFIG_INVALID', message, { cause: error, issues: [{ path: `tables.${displayName(table)}.where`, message }] })
    }
  }
}
