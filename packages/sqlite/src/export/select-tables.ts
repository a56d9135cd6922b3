import { TidemarkError, type ExportSelection, type ExportTableSelection } from '@tidemark/core/adapter'
import { parseTableName } from '../source/parse-table-name.ts'
import { isOwnTable, type CatalogueEntry } from './catalogue-entries.ts'

export interface SelectedTable extends Omit<ExportTableSelection, 'name'> {
  readonly entry: CatalogueEntry
}

/** The user's tables, as the selection wants them. Errors: `TABLE_UNKNOWN`, `NOTHING_SELECTED`, `CONFIG_INVALID` for a pattern. */
export function selectTables(entries: readonly CatalogueEntry[], selection: ExportSelection): readonly SelectedTable[] {
  const own = entries.filter((entry) => entry.type === 'table' && entry.kind !== 'shadow' && !isOwnTable(entry.name))
  // Virtual tables last, as VACUUM has them: a copy of the file gives the same dump, and an index the table that it is made from.
  const all = [...own.filter(({ kind }) => kind !== 'virtual'), ...own.filter(({ kind }) => kind === 'virtual')]
  const wanted: readonly SelectedTable[] = selection.tables?.map((table) => named(all, table)) ?? all.map((entry) => ({ entry }))
  const patterns = selection.excludePatterns.map(compile)
  const selected = wanted.filter(({ entry: { name } }) => !selection.exclude.includes(name) && !patterns.some((pattern) => pattern.test(name)))
  if (selected.length === 0) throw new TidemarkError('NOTHING_SELECTED', 'No table of the database is selected.')
  // In the order of the schema, each once.
  return all.flatMap((entry) => selected.find((table) => table.entry === entry) ?? [])
}

function named(all: readonly CatalogueEntry[], { name: text, where, limit }: ExportTableSelection): SelectedTable {
  const { schema = 'main', name } = parseTableName(text)
  const entry = schema.toLowerCase() === 'main' ? all.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase()) : undefined
  if (entry === undefined) throw new TidemarkError('TABLE_UNKNOWN', `The source has no table '${name}'.`)
  return { entry, where, limit }
}

function compile(source: string): RegExp {
  try {
    return new RegExp(source)
  } catch {
    throw new TidemarkError('CONFIG_INVALID', 'A pattern is no regular expression.', { issues: [{ path: 'exclude', message: 'Must be a regular expression.' }] })
  }
}
