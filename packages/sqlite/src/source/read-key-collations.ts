import type { RowValues, TableSchema } from '@tidemark/core/adapter'
import { readKeyOrder } from '../key-order.ts'
import { quote } from '../quote.ts'
import { quoteText } from './quote-text.ts'

type Query = (sql: string) => Promise<readonly RowValues[]>

const OWN: ReadonlyMap<string, string> = new Map()

/**
 * By name, the columns of the key that its unique index compares by another collation than their own. Of several indexes, one by the columns' own is
 * enough to tell all rows apart. Without a unique index, the columns' own are all that is known.
 */
export async function readKeyCollations(query: Query, { table: { ref, version }, key }: { readonly table: TableSchema; readonly key: readonly string[] }): Promise<ReadonlyMap<string, string>> {
  const schema = ref.schema ?? 'main'
  let found: ReadonlyMap<string, string> | undefined
  for (const [name, sql] of await uniqueIndexes(query, schema, ref.name)) {
    const columns = await readKeyOrder({ query, schema, table: ref.name, index: String(name), namesCollations: /collate/i.test(`${version} ${String(sql)}`) })
    if (!columns.every((column) => key.includes(column.name))) continue
    if (columns.every(({ isOwn }) => isOwn)) return OWN
    found ??= new Map(columns.filter(({ isOwn }) => !isOwn).map((column) => [column.name, column.collation ?? 'BINARY']))
  }
  return found ?? OWN
}

/** Over columns and all rows, with the statements that made them; that of the primary key first. */
function uniqueIndexes(query: Query, schema: string, table: string): Promise<readonly RowValues[]> {
  return query(`SELECT l.name, m.sql FROM pragma_index_list(${quoteText(table)}, ${quoteText(schema)}) AS l LEFT JOIN ${quote(schema)}.sqlite_master AS m ON m.type = 'index' AND m.name = l.name
    WHERE l."unique" = 1 AND l.partial = 0 AND NOT EXISTS (SELECT 1 FROM pragma_index_xinfo(l.name, ${quoteText(schema)}) AS x WHERE x.key = 1 AND x.name IS NULL) ORDER BY l.origin <> 'pk', l.seq`)
}
