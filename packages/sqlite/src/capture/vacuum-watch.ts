import type { BatchTransaction } from '../driver.ts'
import type { LogNames } from './log-names.ts'

/** VACUUM numbers the rows of a table without INTEGER PRIMARY KEY anew, from 1 and without gaps: this number does not survive it. */
const NUMBER = 2

/** A table of one row that stands where VACUUM would not leave it. */
export function watchStatements(names: LogNames): readonly string[] {
  return [`CREATE TABLE ${names.watch} (x)`, `INSERT INTO ${names.watch} (rowid, x) VALUES (${NUMBER}, 0)`]
}

/** Whether rows may have other numbers than when the watch was last set. */
export async function hasVacuumed(transaction: Pick<BatchTransaction, 'query'>, names: LogNames): Promise<boolean> {
  const [row] = await transaction.query(`SELECT rowid FROM ${names.watch}`)
  return Number(row?.[0]) !== NUMBER
}

/** From now on, `hasVacuumed` tells of the next one. */
export async function resetWatch(transaction: Pick<BatchTransaction, 'run'>, names: LogNames): Promise<void> {
  await transaction.run(`UPDATE ${names.watch} SET rowid = ${NUMBER}`)
}
