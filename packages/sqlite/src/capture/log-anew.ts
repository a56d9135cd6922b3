import type { BatchTransaction } from '../driver.ts'
import { quote } from '../quote.ts'
import { entrySql, image } from './entry-sql.ts'
import { ENTRY } from './log-entry.ts'
import type { LogNames } from './log-names.ts'
import { writeMark } from './log-schema.ts'
import type { TableLayout } from './table-layout.ts'

/** Says that a captured table is empty and then has the rows that it has: where what happened to them is not known. Costs as many entries as it has rows. */
export async function logAnew(transaction: BatchTransaction, names: LogNames, layout: TableLayout): Promise<void> {
  await writeMark(transaction, names, { layoutId: layout.id, kind: 'truncate' })
  await transaction.run(entrySql(names, layout, { kind: ENTRY.insert, values: image(layout, 's'), from: `FROM ${quote(layout.table)} AS s` }))
}
