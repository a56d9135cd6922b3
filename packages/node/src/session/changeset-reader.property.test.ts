import { DatabaseSync } from 'node:sqlite'
import { TidemarkError } from '@tidemark/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ChangesetReader } from './changeset-reader.ts'

function changesetOf(values: readonly (string | number)[]): Uint8Array {
  using database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v); CREATE TABLE u (k TEXT, j, v, PRIMARY KEY (k, j)) WITHOUT ROWID; INSERT INTO t VALUES (0, 0)')
  const session = database.createSession()
  for (const [index, value] of values.entries()) database.prepare('INSERT INTO t VALUES (?, ?)').run(index + 1, value)
  for (const [index, value] of values.entries()) database.prepare('INSERT INTO u VALUES (?, ?, ?)').run(String(value), index, value)
  database.exec('UPDATE t SET v = 1.5 WHERE id = 0')
  const changeset = session.changeset()
  session.close()
  return changeset
}

const damage = fc.oneof(
  fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ cut: fc.nat() }),
)

it('ends damaged changesets with a coded error or changes, never otherwise', () => {
  fc.assert(fc.property(fc.array(fc.oneof(fc.string(), fc.integer()), { maxLength: 4 }), fc.array(damage, { minLength: 1, maxLength: 4 }), (values, damages) => {
    let bytes = changesetOf(values)
    for (const one of damages) {
      if ('cut' in one) bytes = bytes.slice(0, one.cut % (bytes.length + 1))
      else if (bytes.length > 0) bytes[one.at % bytes.length] = one.byte
    }
    expectCoded(bytes)
  }), { numRuns: 2_000 })
})

it('takes any bytes without looping', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => expectCoded(new Uint8Array([0x54, 2, 1, 0, 0x74, 0, ...bytes]))), { numRuns: 2_000 })
})

function expectCoded(bytes: Uint8Array): void {
  let changes = 0
  try {
    const reader = new ChangesetReader(bytes, ({ keyParts }) => keyParts.map(() => false))
    while (reader.next() !== undefined) changes += 1
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error
    expect(error.code).toBe('SOURCE_CORRUPT_RESULT')
  }
  expect(changes).toBeLessThanOrEqual(bytes.length)
}
