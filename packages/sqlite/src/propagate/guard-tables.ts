import type { BatchTransaction } from '../driver.ts'
import { quote } from '../quote.ts'
import { quoteText } from '../source/quote-text.ts'
import type { PeerNames } from './peer-names.ts'

const OPS = ['INSERT', 'UPDATE', 'DELETE'] as const

/**
 * Makes SQLite refuse writes to the table while no sender's change is being applied. Whoever writes gets SQLITE_CONSTRAINT_TRIGGER.
 * A REPLACE that deletes a row is refused as the insert that it is.
 */
export async function guardTable(transaction: BatchTransaction, names: PeerNames, table: string): Promise<void> {
  for (const op of OPS) {
    const name = quote(`${names.guard}_${op.toLowerCase()}_${table}`)
    const text = quoteText(`The table '${table}' takes changes from its origin only.`)
    await transaction.run(
      `CREATE TRIGGER IF NOT EXISTS ${name} BEFORE ${op} ON ${quote(table)} WHEN NOT EXISTS (SELECT 1 FROM ${names.applying}) BEGIN SELECT RAISE(ABORT, ${text}); END`,
    )
  }
}

/** Runs `work` as what the guards let through. */
export async function unguarded(transaction: BatchTransaction, names: PeerNames, work: () => Promise<void>): Promise<void> {
  await transaction.run(`INSERT INTO ${names.applying} VALUES (1)`)
  await work()
  await transaction.run(`DELETE FROM ${names.applying}`)
}

/** Takes the guards away, where they are not wanted any more. */
export async function unguardTable(transaction: BatchTransaction, names: PeerNames, table: string): Promise<void> {
  for (const op of OPS) await transaction.run(`DROP TRIGGER IF EXISTS ${quote(`${names.guard}_${op.toLowerCase()}_${table}`)}`)
}
