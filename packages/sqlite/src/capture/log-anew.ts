import type { SqliteTransaction } from '../driver.ts'
import { quote } from '../quote.ts'
import { entrySql, image } from './entry-sql.ts'
import { readLayouts } from './layouts.ts'
import { ENTRY } from './log-entry.ts'
import type { LogNames } from './log-names.ts'
import { writeMark } from './log-schema.ts'

/** Says that the table is empty and then has the rows that it has: where what happened to them is not known. Costs as many entries as it has rows. */
export async function logAnew(transaction: SqliteTransaction, names: LogNames, table: string): Promise<void> {
  const layout = (await readLayouts(transaction, names)).find((stored) => stored.isCurrent && stored.layout.table === table)?.layout
  if (layout === undefined) return
  await writeMark(transaction, names, { layoutId: layout.id, kind: 'truncate' })
  await transaction.run(entrySql(names, layout, { kind: ENTRY.insert, values: image(layout, 's'), from: `FROM ${quote(table)} AS s` }))
}
