import { quote } from '../../quote.ts'

/** Everything of one corrected view in the database, by its name. */
export interface UndoNames {
  /** Of all of its tables and triggers. */
  readonly prefix: string
  /** What `AUTOINCREMENT` had given out at the instant. */
  readonly counters: string
  /** The first old image of each row that was touched since, of the table of that number. */
  table(index: number): string
  trigger(index: number, role: string): string
}

/** Tables of this prefix are nobody's data: no export has them. */
export function undoNames(viewId: string): UndoNames {
  const prefix = `tidemark_undo_${viewId.replaceAll(/\W/g, '_')}_`
  return { prefix, counters: quote(`${prefix}counters`), table: (index) => quote(`${prefix}${index}`), trigger: (index, role) => quote(`${prefix}${index}_${role}`) }
}
