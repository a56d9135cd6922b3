import { DatabaseSync } from 'node:sqlite'
import { MIXED_TABLE } from '../tables/mixed-table.ts'

const CHECK = `select count(*) as rows, sum(id) as ids, sum(quantity) as quantities, sum(length(title)) as titles, cast(sum(score) as integer) as scores,
  sum(typeof(score) = 'real' and typeof(id) = 'integer' and typeof(price) = 'text') as typed from ${MIXED_TABLE}`

/** What both sides must have in common. Times are of no interest where the work was not the same. */
export function readCopy(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return JSON.stringify(database.prepare(CHECK).get())
  } finally {
    database.close()
  }
}

/** Errors: two copies that differ, or one without all rows. */
export function checkCopies(ours: string, peer: string, rows: number): void {
  const [a, b] = [readCopy(ours), readCopy(peer)]
  if (a !== b) throw new Error(`The two copies differ: ours ${a}, the peer's ${b}`)
  if (!a.startsWith(`{"rows":${rows},`)) throw new Error(`The copies do not have ${rows} rows: ${a}`)
}
