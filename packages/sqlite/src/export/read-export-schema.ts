import type { ExportPlan, ExportSection, ExportSelection, ExportTable } from '@tidemark/core/adapter'
import { sha256Hex } from '@tidemark/core/adapter'
import { quote } from '../quote.ts'
import { quoteText } from '../source/quote-text.ts'
import { CATALOGUE_SQL, isOwnTable, toEntry, type CatalogueEntry } from './catalogue-entries.ts'
import type { ExportedTable } from './exported-table.ts'
import { literalSql } from './literal-sql.ts'
import { readExportedTable, type ExportQuery } from './read-exported-table.ts'
import { selectTables } from './select-tables.ts'
import { virtualTableRole } from './virtual-table-role.ts'

export interface ExportSchema {
  readonly plan: ExportPlan
  /** As in `plan.tables`. */
  readonly tables: readonly ExportedTable[]
}

/** SQL is larger than what it is stored in, by this much of mixed rows. */
const RENDERED_SHARE = 1.4

export interface ExportSchemaOptions {
  /** Only what definitions say, and nothing that a write changes: for a transaction that begins anew when what it has read is another. Default false. */
  readonly definitionsOnly?: boolean | undefined
  /** Quoted name of the table that has the counters of `AUTOINCREMENT`. Default: SQLite's own. */
  readonly counters?: string | undefined
  /** Whether the host answers no questions about the file: its encoding is UTF-8 then. */
  readonly hidesFile?: boolean | undefined
}

/** What is exported, and in which order `sqlite3` can load it. Errors: `TABLE_UNKNOWN`, `NOTHING_SELECTED`, `NOT_SUPPORTED`, `SOURCE_*`. */
export async function readExportSchema(query: ExportQuery, selection: ExportSelection, options: ExportSchemaOptions = {}): Promise<ExportSchema> {
  const entries = (await query(CATALOGUE_SQL)).map(toEntry)
  const selected = selectTables(entries, selection)
  const notes: string[] = []
  const tables: ExportedTable[] = []
  const rebuilt: string[] = []
  const defined: CatalogueEntry[] = []
  for (const table of selected) {
    const role = virtualTableRole(table.entry)
    if (role.note !== undefined) notes.push(role.note)
    if (role.kind === 'skip') continue
    defined.push(table.entry)
    if (role.kind === 'rebuild') rebuilt.push(table.entry.name)
    else if (role.kind === 'rows') tables.push(await readExportedTable(query, table))
  }
  const names = new Set(defined.map(({ name }) => name))
  const before = selection.content === 'data' ? dataBefore() : await schemaBefore(query, defined, options)
  const after = [...await counters(query, tables, { selection, options }), ...(selection.content === 'data' ? [] : schemaAfter(entries, { names, rebuilt, selection })), 'COMMIT;']
  return { tables, plan: await toPlan(query, { tables, before, after, notes, selection, options }) }
}

function dataBefore(): readonly string[] {
  return ['PRAGMA foreign_keys=OFF;', 'BEGIN TRANSACTION;']
}

/** The encoding first: it can't be set once there is a table. Tables with all others of their kind, so that no row comes before a table it refers to. */
async function schemaBefore(query: ExportQuery, defined: readonly CatalogueEntry[], { hidesFile = false }: ExportSchemaOptions): Promise<readonly string[]> {
  const [[encoding, userVersion, applicationId] = []] = hidesFile ? [['UTF-8', 0, 0]] : await query('SELECT (SELECT encoding FROM pragma_encoding), (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id)')
  return [
    ...(encoding === 'UTF-8' ? [] : [`PRAGMA encoding=${quoteText(String(encoding))};`]),
    'PRAGMA foreign_keys=OFF;',
    'BEGIN TRANSACTION;',
    ...(Number(applicationId) === 0 ? [] : [`PRAGMA application_id=${String(applicationId)};`]),
    ...(Number(userVersion) === 0 ? [] : [`PRAGMA user_version=${String(userVersion)};`]),
    ...defined.flatMap(({ sql }) => (sql === null ? [] : [`${sql};`])),
  ]
}

interface AfterRequest {
  readonly names: ReadonlySet<string>
  readonly rebuilt: readonly string[]
  readonly selection: ExportSelection
}

/** Indexes once the rows are there; views before the triggers that stand in for writes to them. */
function schemaAfter(entries: readonly CatalogueEntry[], { names, rebuilt, selection }: AfterRequest): readonly string[] {
  const views = selection.tables === undefined ? entries.filter(({ type, name }) => type === 'view' && !isOwnTable(name)) : []
  const owners = new Set([...names, ...views.map(({ name }) => name)])
  const of = (type: CatalogueEntry['type']): readonly string[] => (
    entries.filter((entry) => entry.type === type && owners.has(entry.table) && !isOwnTable(entry.name)).flatMap(({ sql }) => (sql === null ? [] : [`${sql};`]))
  )
  const hasStatistics = entries.some(({ name }) => name === 'sqlite_stat1') && selection.tables === undefined
  return [
    ...rebuilt.map((name) => `INSERT INTO ${quote(name)}(${quote(name)}) VALUES('rebuild');`),
    ...of('index'),
    ...views.flatMap(({ sql }) => (sql === null ? [] : [`${sql};`])),
    ...of('trigger'),
    ...(hasStatistics ? ['ANALYZE;'] : []),
  ]
}

/** What AUTOINCREMENT has given out, of the tables in the dump: rows alone would have it begin behind the greatest that is left. */
async function counters(query: ExportQuery, tables: readonly ExportedTable[], { selection, options }: Pick<PlanParts, 'selection' | 'options'>): Promise<readonly string[]> {
  if (selection.content === 'schema' || options.definitionsOnly === true) return []
  const [exists] = await query(`SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_sequence'`)
  if (exists === undefined) return []
  const rows = await query(`SELECT name, quote(name), ${literalSql('seq')} FROM main.${options.counters ?? 'sqlite_sequence'} ORDER BY name`)
  return rows.filter(([name]) => tables.some((table) => table.name === name)).flatMap(([, name, value]) => [
    `DELETE FROM sqlite_sequence WHERE name=${String(name)};`, `INSERT INTO sqlite_sequence(name,seq) VALUES(${String(name)},${String(value)});`,
  ])
}

interface PlanParts {
  readonly tables: readonly ExportedTable[]
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly notes: readonly string[]
  readonly selection: ExportSelection
  readonly options: ExportSchemaOptions
}

async function toPlan(query: ExportQuery, { tables, before, after, notes, selection, options }: PlanParts): Promise<ExportPlan> {
  const rows: readonly ExportSection[] = selection.content === 'schema' ? [] : tables.map((_, table) => ({ kind: 'rows', table }))
  const [[version] = []] = options.hidesFile === true ? [] : await query('SELECT sqlite_version()')
  return {
    tables: await withEstimates(query, tables, options),
    sections: [{ kind: 'statements', role: 'before', statements: before }, ...rows, { kind: 'statements', role: 'after', statements: after }],
    schemaHash: await sha256Hex(new TextEncoder().encode(JSON.stringify([before, tables, after.filter((statement) => !statement.includes('sqlite_sequence'))]))),
    engineVersion: version === undefined ? 'SQLite' : `SQLite ${String(version)}`,
    notes,
  }
}

/** From the greatest row number, which costs one look: too high where many rows were deleted. */
async function withEstimates(query: ExportQuery, tables: readonly ExportedTable[], { hidesFile = false, definitionsOnly = false }: ExportSchemaOptions): Promise<readonly ExportTable[]> {
  const [[bytes] = []] = hidesFile || definitionsOnly ? [] : await query('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size')
  const estimates: (number | undefined)[] = []
  for (const table of tables) estimates.push(definitionsOnly ? undefined : await estimatedRows(query, table))
  const known = estimates.reduce<number>((sum, rows) => sum + (rows ?? 0), 0)
  return tables.map(({ name, columns, primaryKey }, index) => {
    const rows = estimates[index]
    return { name, columns, key: primaryKey, estimatedRows: rows, estimatedBytes: rows === undefined || known === 0 || bytes === undefined ? undefined : Math.ceil((Number(bytes) * RENDERED_SHARE * rows) / known) }
  })
}

async function estimatedRows(query: ExportQuery, { name, key, limit, isVirtual }: ExportedTable): Promise<number | undefined> {
  const [term] = key
  if (isVirtual || term === undefined || term.column !== undefined) return limit
  const [[first, last] = []] = await query(`SELECT (SELECT ${term.expression} FROM main.${quote(name)} ORDER BY 1 LIMIT 1), (SELECT ${term.expression} FROM main.${quote(name)} ORDER BY 1 DESC LIMIT 1)`)
  const rows = last === null ? 0 : Number(last) - Number(first) + 1
  return Math.min(rows, limit ?? rows)
}
