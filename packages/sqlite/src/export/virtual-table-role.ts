import type { CatalogueEntry } from './catalogue-entries.ts'

/**
 * What becomes of a table's rows.
 *
 * - `rows`: they are written.
 * - `rebuild`: full text search over a table that is exported itself: the index is made again from it.
 * - `definition`: there are none to be had.
 * - `skip`: not even the definition would be of use.
 */
export interface TableRole {
  readonly kind: 'rows' | 'rebuild' | 'definition' | 'skip'
  /** For people. */
  readonly note: string | undefined
}

const MODULE = /^\s*CREATE\s+VIRTUAL\s+TABLE\s.*?\sUSING\s+["'`[]?(\w+)/is

/** Modules whose rows can be written through the table itself, with their numbers. */
const WRITABLE = /^(fts3|fts4|fts5|rtree|rtree_i32|geopoly)$/

export function virtualTableRole({ name, kind, sql }: CatalogueEntry): TableRole {
  if (kind !== 'virtual') return { kind: 'rows', note: undefined }
  const module = MODULE.exec(sql ?? '')?.[1]?.toLowerCase() ?? ''
  if (!WRITABLE.test(module)) return { kind: 'skip', note: `The virtual table '${name}' is left out: nothing is known of its module '${module}'.` }
  const content = /[(,]\s*content\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s,)]*))/i.exec(sql ?? '')
  if (content === null || !module.startsWith('fts')) return { kind: 'rows', note: undefined }
  const table = content[1] ?? content[2] ?? content[3] ?? ''
  if (table !== '') return { kind: 'rebuild', note: undefined }
  return { kind: 'definition', note: `The full text index '${name}' keeps no text, so that it comes empty.` }
}
