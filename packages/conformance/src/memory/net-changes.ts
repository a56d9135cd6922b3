import type { MemoryChange } from './memory-change-table.ts'

/**
 * The net effect of a transaction: one change per row that is not as it was. A row whose key has changed is deleted at the old key and
 * inserted at the new one. The order says nothing, as that of a hash table: it is turned round here, so that nobody relies on it.
 */
export function netChanges(changes: readonly MemoryChange[]): readonly MemoryChange[] {
  const first = new Map<string, MemoryChange['before']>()
  const last = new Map<string, { readonly table: string; readonly place: string; readonly after: MemoryChange['after'] }>()
  const touch = (table: string, place: string, sides: Pick<MemoryChange, 'before' | 'after'>): void => {
    const id = JSON.stringify([table, place])
    if (!first.has(id)) first.set(id, sides.before)
    last.set(id, { table, place, after: sides.after })
  }
  for (const { table, before, after } of changes) {
    if (before !== undefined) touch(table, before.place, { before, after: after?.place === before.place ? after : undefined })
    if (after !== undefined && after.place !== before?.place) touch(table, after.place, { before: undefined, after })
  }
  const net = [...last].toReversed().map(([id, { table, after }]): MemoryChange => ({ table, before: first.get(id), after }))
  // Deletes come first: a new row may have the unique key of one that is gone.
  return [...net.filter(({ after }) => after === undefined), ...net.filter(({ after }) => after !== undefined)].filter(isChange)
}

function isChange({ before, after }: MemoryChange): boolean {
  if (before === undefined && after === undefined) return false
  if (before === undefined || after === undefined) return true
  return Object.keys({ ...before.row, ...after.row }).some((name) => before.row[name] !== after.row[name])
}
