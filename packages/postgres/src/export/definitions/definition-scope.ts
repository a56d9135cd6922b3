import type { ExportedTable } from '../exported-table.ts'

/** What of a database is defined in a dump. */
export interface DefinitionScope {
  readonly tables: readonly ExportedTable[]
  /** Whether everything is: programs and views too, and tables without rows of their own. */
  readonly isWhole: boolean
  /** Of tables that are left out. */
  readonly leftOut: readonly string[]
}

/** Condition that a relation's oid is in the dump. */
export function inScope({ tables, isWhole, leftOut }: DefinitionScope, oid: string): string {
  const list = (oids: readonly string[]): string => (oids.length === 0 ? `'{}'` : `'{${oids.join(',')}}'`)
  return isWhole ? `${oid} <> ALL (${list(leftOut)}::pg_catalog.oid[])` : `${oid} = ANY (${list(tables.map((table) => table.oid))}::pg_catalog.oid[])`
}
