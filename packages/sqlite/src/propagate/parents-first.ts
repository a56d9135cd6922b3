import type { BatchTransaction } from '../driver.ts'

/** The tables in an order in which each follows those that it refers to, as far as there is one. Only reads. */
export async function parentsFirst(transaction: BatchTransaction, tables: readonly string[]): Promise<readonly string[]> {
  const rows = await transaction.query(`SELECT child.value AS child, list."table" AS parent FROM json_each(?) AS child JOIN pragma_foreign_key_list(child.value) AS list`, [JSON.stringify(tables)])
  const parents = (name: string): readonly string[] => tables.filter((table) => rows.some(([child, parent]) => child === name && String(parent).toLowerCase() === table.toLowerCase()))
  const ordered = new Set<string>()
  const visited = new Set<string>()
  const visit = (name: string): void => {
    if (visited.has(name)) return
    visited.add(name)
    for (const parent of parents(name)) visit(parent)
    ordered.add(name)
  }
  for (const name of tables) visit(name)
  return [...ordered]
}
