import { TidemarkError, type ExportSelection, type ExportTableSelection } from '@tidemark/core/adapter'
import { parseTableName } from '../parse-table-name.ts'
import type { ExportCatalogue, Relation } from './export-catalogue.ts'

export interface SelectedRelation extends Relation {
  readonly where: string | undefined
  readonly limit: number | undefined
}

/** Errors: `TABLE_UNKNOWN`, `NOTHING_SELECTED`, `CONFIG_INVALID`. */
export function selectRelations(catalogue: ExportCatalogue, selection: ExportSelection): readonly SelectedRelation[] {
  const named = selection.tables === undefined ? catalogue.relations.map((relation) => ({ ...relation, where: undefined, limit: undefined })) : findAll(catalogue, selection.tables)
  const patterns = selection.excludePatterns.map((source) => new RegExp(source, 'u'))
  const isExcluded = (name: string): boolean => selection.exclude.includes(name) || patterns.some((pattern) => pattern.test(name))
  const selected = named.filter(({ name }) => !isExcluded(name))
  if (selected.length > 0) return selected
  throw new TidemarkError('NOTHING_SELECTED', `The selection matches no table of database ${catalogue.database}.`)
}

function findAll(catalogue: ExportCatalogue, tables: readonly ExportTableSelection[]): readonly SelectedRelation[] {
  const found = new Map<string, SelectedRelation>()
  for (const { name, where, limit } of tables) {
    const relation = find(catalogue, name)
    found.set(relation.name, { ...relation, where, limit })
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function find(catalogue: ExportCatalogue, written: string): Relation {
  const { schema, name } = parseTableName(written, catalogue.database)
  const fold = (text: string): string => (catalogue.foldsCase ? text.toLowerCase() : text)
  const found = fold(schema ?? '') === fold(catalogue.database) ? catalogue.relations.find((relation) => fold(relation.name) === fold(name)) : undefined
  if (found !== undefined) return found
  throw new TidemarkError('TABLE_UNKNOWN', `Database ${catalogue.database} has no table ${written}.`)
}
