import type { ChangeTable } from '../dialect/change-source.ts'
import type { Finding } from '../dialect/source.ts'

/** What is wrong, or will be, with propagating these tables. */
export function diagnoseTables(tables: readonly ChangeTable[], { isVersioned }: { readonly isVersioned: boolean }): readonly PropagationFinding[] {
  return tables.flatMap((table) => findingsOf(table, isVersioned).map((finding) => ({ ...finding, table: table.name })))
}

export interface PropagationFinding extends Finding {
  readonly table: string
}

function findingsOf(table: ChangeTable, isVersioned: boolean): readonly Finding[] {
  if (table.key.length === 0) {
    return [{ id: 'key-missing', severity: 'error', message: 'The table has no primary key: its rows can not be told apart elsewhere, and it is not propagated.' }]
  }
  return [...nullableKey(table), ...isVersioned ? countedKey(table) : []]
}

function nullableKey({ key, columns }: ChangeTable): readonly Finding[] {
  const nullable = columns.filter(({ name, nullable: isNullable }) => key.includes(name) && isNullable).map(({ name }) => name)
  if (nullable.length === 0) return []
  return [{ id: 'key-nullable', severity: 'warning', message: `The key allows NULL (${nullable.join(', ')}): the first row with one stops the table. Declare it NOT NULL.` }]
}

/** Whoever counts up from the rows that are here gives a number that another gives too. */
function countedKey({ key, columns }: ChangeTable): readonly Finding[] {
  const [only] = columns.filter(({ name }) => key.includes(name))
  if (key.length !== 1 || only === undefined || !/^int(?:eger)?$/i.test(only.type)) return []
  const message = `Several instances write, and '${only.name}' is a number that each may count up by itself: two new rows then become one. Use a UUIDv7, or give each instance a range of its own.`
  return [{ id: 'key-may-collide', severity: 'warning', message }]
}
