import type { TableSchema } from '@tidemark/core/adapter'
import { readIndexes, type CatalogueIndex } from '../describe-table.ts'
import type { RunOptions } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'
import { catalogueFilter } from '../table-fingerprint.ts'

/** What the catalogue knows beyond a table's description. */
export interface CatalogueFacts {
  readonly engine: string | undefined
  readonly indexes: ReadonlyMap<string, CatalogueIndex>
  /** By column name: `auto_increment`, `on update current_timestamp()`; lower case. */
  readonly extra: ReadonlyMap<string, string>
  /** By column name; absent: not a character column. */
  readonly collations: ReadonlyMap<string, string>
  readonly autoincLockMode: string | undefined
}

export async function catalogueFacts(session: Session, table: TableSchema, options: RunOptions): Promise<CatalogueFacts> {
  const filter = catalogueFilter(table.ref)
  const [engine] = await session.link.rows(`SELECT engine FROM information_schema.tables WHERE ${filter}`, options)
  const columns = await session.link.rows(`SELECT column_name, extra, collation_name FROM information_schema.columns WHERE ${filter}`, options)
  return {
    engine: engine?.[0] ?? undefined,
    indexes: await readIndexes(session, table.ref, options),
    extra: new Map(columns.map(([name, extra]) => [name ?? '', (extra ?? '').toLowerCase()])),
    collations: new Map(columns.flatMap(([name, , collation]): [string, string][] => typeof collation === 'string' ? [[name ?? '', collation]] : [])),
    autoincLockMode: session.server.autoincLockMode,
  }
}
