import type { ColumnSchema, TableSchema } from '../dialect/table.ts'

/** What a copy is made from: the columns it takes, and the key it goes by. */
export type CopiedSchema = Pick<TableSchema, 'columns' | 'key'>

/** What became of one column. */
export type ColumnChange =
  | { readonly kind: 'added'; readonly column: string }
  | { readonly kind: 'dropped'; readonly column: string }
  | { readonly kind: 'renamed'; readonly column: string; readonly to: string }
  /** The stored form changes. `varchar(10)` to `varchar(20)` is not a retype: it is stored the same. */
  | { readonly kind: 'retyped'; readonly column: string; readonly from: string; readonly to: string }

export interface SchemaDrift {
  readonly changes: readonly ColumnChange[]
  readonly keyChanged: boolean
}

/** What to do about a column that was dropped, renamed or retyped. Added columns are always followed. */
export type SchemaPolicy = 'follow' | 'stop' | 'rebuild'

export type DriftAction =
  /** Nothing that the copy would show. */
  | 'none'
  /** Alter the copy in place. */
  | 'alter'
  /** Alter in place, then read the table again to fill the new columns. */
  | 'alter-and-backfill'
  /** Make the copy anew. */
  | 'rebuild'
  | 'stop'

/** Columns are matched by the engine's own number, so a rename is not a drop and an add. */
export function diffSchema(known: CopiedSchema, current: CopiedSchema): SchemaDrift {
  const before = new Map(known.columns.map((column) => [column.ordinal, column]))
  const after = new Map(current.columns.map((column) => [column.ordinal, column]))
  const changes = [
    ...known.columns.flatMap((column) => changeOf(column, after.get(column.ordinal))),
    ...current.columns.filter((column) => !before.has(column.ordinal)).map((column): ColumnChange => ({ kind: 'added', column: column.name })),
  ]
  return { changes, keyChanged: keyOrdinals(known) !== keyOrdinals(current) }
}

function changeOf(before: ColumnSchema, after: ColumnSchema | undefined): readonly ColumnChange[] {
  if (after === undefined) return [{ kind: 'dropped', column: before.name }]
  const changes: ColumnChange[] = []
  if (before.name !== after.name) changes.push({ kind: 'renamed', column: before.name, to: after.name })
  if (!isStoredAlike(before, after)) {
    changes.push({ kind: 'retyped', column: after.name, from: before.sourceType, to: after.sourceType })
  }
  return changes
}

function isStoredAlike(a: ColumnSchema, b: ColumnSchema): boolean {
  return a.logicalType === b.logicalType && a.storage === b.storage && a.scale === b.scale
}

function keyOrdinals(schema: CopiedSchema): string {
  return schema.key.map((name) => schema.columns.find((column) => column.name === name)?.ordinal ?? name).join(',')
}

export function driftAction(drift: SchemaDrift, policy: SchemaPolicy): DriftAction {
  const kinds = new Set(drift.changes.map((change) => change.kind))
  const isBreaking = drift.keyChanged || kinds.has('dropped') || kinds.has('renamed') || kinds.has('retyped')
  if (!isBreaking) return kinds.has('added') ? 'alter-and-backfill' : 'none'
  if (policy === 'stop') return 'stop'
  // A key or a stored form can't be altered in place: `follow` follows it the long way.
  if (policy === 'rebuild' || drift.keyChanged || kinds.has('retyped')) return 'rebuild'
  return kinds.has('added') ? 'alter-and-backfill' : 'alter'
}
