import { randomBytes } from 'node:crypto'

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/

/** Checks a given name, which goes into SQL as it is, or makes one that no other test file has. */
export function databaseName(given: string | undefined): string {
  const name = given ?? `test_${process.pid}_${randomBytes(4).toString('hex')}`
  if (!IDENTIFIER.test(name)) throw new TypeError(`A test database is named by letters, digits and _: ${name}`)
  return name
}
