import type { ExportTable } from '@tidemark/core/adapter'
import { readIndexes } from '../describe-table.ts'
import type { RunOptions } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'
import { readExportColumns, type ExportColumn } from './export-columns.ts'
import { scanKey, type ScanKey } from './scan-key.ts'
import type { SelectedRelation } from './select-relations.ts'
import { tableStamp } from './table-stamp.ts'
import { withoutLasting } from './without-lasting.ts'

/** A table whose rows are exported, with all that its reads are derived from. */
export interface TablePlan {
  readonly relation: SelectedRelation
  readonly columns: readonly ExportColumn[]
  readonly key: ScanKey | undefined
  /** Whether the server may keep a lock on it for as long as a statement is being read. */
  readonly locksReaders: boolean
  /** See {@link tableStamp}; of a view that is of no instant there is none. */
  readonly stamp: string | undefined
}

export interface PlanTableOptions extends RunOptions {
  readonly heldEngines: ReadonlySet<string>
  readonly isSnapshot: boolean
}

export async function planTable(session: Session, relation: SelectedRelation, options: PlanTableOptions): Promise<TablePlan> {
  const columns = await readExportColumns(session, relation.name, options)
  const indexes = await readIndexes(session, { schema: session.server.database, name: relation.name }, options)
  const stamp = options.isSnapshot ? await withoutLasting(session, options, async () => await tableStamp(session, relation, options)) : undefined
  return { relation, columns, key: scanKey(columns, indexes), locksReaders: !isHeld(relation, options.heldEngines), stamp }
}

export function isHeld({ engine }: { readonly engine: string | undefined }, heldEngines: ReadonlySet<string>): boolean {
  return heldEngines.has((engine ?? '').toLowerCase())
}

export function toExportTable({ relation, columns, key }: TablePlan): ExportTable {
  return {
    name: relation.name,
    columns: columns.map(({ schema }) => schema),
    key: key?.ordering.key.map(({ column }) => column.name) ?? [],
    estimatedRows: relation.estimatedRows === undefined || relation.limit === undefined ? relation.estimatedRows : Math.min(relation.estimatedRows, relation.limit),
    estimatedBytes: relation.estimatedBytes,
  }
}
