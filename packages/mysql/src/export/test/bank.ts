import type { Connection } from 'mysql2/promise'
import type { TestDatabase } from '../../test/test-database.ts'

export const ACCOUNTS = 400

/** Park and Miller's generator: small, and the same everywhere. */
export function generator(seed: number): (below: number) => number {
  let state = seed % 2_147_483_646 + 1
  return (below) => {
    state = state * 48_271 % 2_147_483_647
    return state % below
  }
}

/** Two tables with the same money and unique names, and one without a key. */
export async function makeBank(writer: Connection): Promise<void> {
  const values = Array.from({ length: ACCOUNTS }, (_, id) => `(${id}, 'n${id}', 100)`).join(', ')
  for (const name of ['account', 'mirror']) {
    await writer.query(`CREATE TABLE ${name} (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL, balance INT, UNIQUE (name)) ENGINE = InnoDB`)
    await writer.query(`INSERT INTO ${name} VALUES ${values}`)
  }
  await writer.query('CREATE TABLE journal (note VARCHAR(40), amount INT) ENGINE = InnoDB')
}

/** One transaction: moves money in both tables, swaps two unique names, and writes, removes and adds rows of a table without a key. */
export async function transfer(writer: Connection, random: (below: number) => number): Promise<void> {
  const [from, to, amount] = [random(ACCOUNTS), random(ACCOUNTS), random(50)]
  await writer.beginTransaction()
  for (const table of ['account', 'mirror']) {
    await writer.query(`UPDATE ${table} SET balance = balance - ${amount} WHERE id = ${from}`)
    await writer.query(`UPDATE ${table} SET balance = balance + ${amount} WHERE id = ${to}`)
  }
  await writer.query(`UPDATE account SET name = CONCAT('t', id) WHERE id = ${from}`)
  await writer.query('INSERT INTO journal VALUES (\'in\', ?), (\'out\', ?)', [amount, -amount])
  if (random(3) === 0) await writer.query(`DELETE FROM journal WHERE amount IN (${amount}, ${-amount})`)
  await writer.commit()
}

/** All money of each table, and how many accounts differ between the two: `[[40000, 40000, 0, 0]]` at every commit. */
export async function checksum(of: TestDatabase): Promise<unknown> {
  const sql = 'SELECT (SELECT SUM(balance) FROM account), (SELECT SUM(balance) FROM mirror), (SELECT COALESCE(SUM(amount), 0) FROM journal), (SELECT COUNT(*) FROM account a JOIN mirror m USING (id) WHERE a.balance <> m.balance)'
  const [rows] = await of.writer.query({ sql, rowsAsArray: true })
  return JSON.parse(JSON.stringify(rows, (_, value: unknown) => (typeof value === 'string' ? Number(value) : value)))
}
