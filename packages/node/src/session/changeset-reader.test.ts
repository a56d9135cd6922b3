import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { BrokenText } from './changeset-bytes.ts'
import { ChangesetReader, type ChangesetChange, type ChangesetTable, type UntypedColumns } from './changeset-reader.ts'

function changesOf(bytes: Uint8Array, untyped: UntypedColumns): readonly ChangesetChange[] {
  const reader = new ChangesetReader(bytes, untyped)
  const changes: ChangesetChange[] = []
  for (let change = reader.next(); change !== undefined; change = reader.next()) changes.push(change)
  return changes
}

/** The last table and the changes. */
function decode(bytes: Uint8Array, isWide = false): readonly (ChangesetTable | ChangesetChange)[] {
  let seen: ChangesetTable | undefined
  const changes = changesOf(bytes, (table) => {
    seen = table
    return table.keyParts.map(() => isWide)
  })
  return seen === undefined ? changes : [seen, ...changes]
}

/** Only passes over. */
function pass(bytes: Uint8Array): void {
  const reader = new ChangesetReader(bytes, ({ keyParts }) => keyParts.map(() => false))
  while (reader.next('delete') !== undefined) continue
}

function record(sql: string, work: string): Uint8Array {
  using database = new DatabaseSync(':memory:')
  database.exec(sql)
  const session = database.createSession()
  database.exec(work)
  const changeset = session.changeset()
  session.close()
  return changeset
}

const TABLE = 'CREATE TABLE t (id INTEGER PRIMARY KEY, v)'
const withCode = (code: string): Error => expect.objectContaining({ code }) as Error

/** `T`, two columns, the first of them the key, `t`. */
const HEAD = [0x54, 2, 1, 0, 0x74, 0]
const ONE = [1, 0, 0, 0, 0, 0, 0, 0, 1]

describe('ChangesetReader', () => {
  it.each([
    ['9223372036854775807', 9223372036854775807n], ['-9223372036854775808', -9223372036854775808n],
    ['9007199254740991', 9007199254740991], ['9007199254740992', 9007199254740992n],
    ['-9007199254740991', -9007199254740991], ['-9007199254740992', -9007199254740992n],
    ['-1', -1], ['0', 0], ['-4294967296', -4294967296], ['0.1', 0.1], ['-0.0', -0], ['5e-324', 5e-324], ['9e999', Infinity], ['-9e999', -Infinity],
    ['\'\'', ''], ['\'a\' || char(0) || \'b\'', 'a\0b'], ['char(0xfeff) || \'é😀\'', '\uFEFFé😀'],
    ['x\'\'', new Uint8Array()], ['x\'00ff\'', new Uint8Array([0, 255])], ['NULL', null],
  ])('gives %s as it is', (sql, value) => {
    const [, change] = decode(record(TABLE, `INSERT INTO t VALUES (1, ${sql})`))
    expect(change).toEqual({ op: 'insert', isIndirect: false, before: [], after: [1, value] })
    expect(Object.is((change as ChangesetChange).after[1], value) || typeof value === 'object').toBe(true)
  })

  it('gives every integer as a bigint where 1 and 1.0 differ', () => {
    expect(decode(record(TABLE, 'INSERT INTO t VALUES (1, 1.0)'), true)[1]).toMatchObject({ after: [1n, 1] })
  })

  it('keeps the bytes of a text that is none', () => {
    expect(decode(record(TABLE, 'INSERT INTO t VALUES (1, CAST(x\'61ff\' AS TEXT))'))[1]).toMatchObject({ after: [1, new BrokenText(new Uint8Array([0x61, 0xff]))] })
  })

  it('gives an update its key and what changed, a delete its whole row', () => {
    const before = `${TABLE}; INSERT INTO t VALUES (1, 'a'), (2, NULL)`
    expect(decode(record(before, 'UPDATE t SET v = NULL WHERE id = 1'))[1]).toEqual({ op: 'update', isIndirect: false, before: [1, 'a'], after: [undefined, null] })
    expect(decode(record(before, 'DELETE FROM t WHERE id = 2'))[1]).toEqual({ op: 'delete', isIndirect: false, before: [2, null], after: [] })
  })

  it('tells what a trigger wrote', () => {
    const before = `${TABLE}; CREATE TABLE u (id INTEGER PRIMARY KEY); CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO u VALUES (new.id); END`
    const changes = decode(record(before, 'INSERT INTO t VALUES (1, 2)')).filter((seen) => 'op' in seen)
    expect(changes.map(({ isIndirect }) => isIndirect).toSorted()).toEqual([false, true])
  })

  it('passes a table over that nobody wants', () => {
    const bytes = record(`${TABLE}; CREATE TABLE u (id INTEGER PRIMARY KEY)`, 'INSERT INTO t VALUES (1, 2); INSERT INTO u VALUES (3)')
    expect(changesOf(bytes, ({ name }) => name === 'u' ? [false] : undefined)).toEqual([{ op: 'insert', isIndirect: false, before: [], after: [3] }])
  })

  it('passes other operations over and counts them', () => {
    const bytes = record(`${TABLE}; INSERT INTO t VALUES (1, 'a'), (2, 2.5)`, 'UPDATE t SET v = x\'00\' WHERE id = 1; DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (3, NULL)')
    const reader = new ChangesetReader(bytes, () => [false, false])
    expect([reader.next('update')?.before, reader.next('update'), reader.passed]).toEqual([[1, 'a'], undefined, { insert: 1, update: 0, delete: 1 }])
  })

  it('gives nothing for nothing', () => expect(decode(new Uint8Array())).toEqual([]))

  it.each([
    ['another beginning', [0x50]],
    ['a change before its table', [18, 0, 5]],
    ['no columns', [0x54, 0, 0x74, 0]],
    ['more columns than there are bytes', [0x54, 0x83, 0x7f, 1]],
    ['more columns than a table can have', [0x54, 0x82, 0x80, 0x00, 1]],
    ['a length without end', [0x54, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['no end of the name', [0x54, 1, 1, 0x74]],
    ['a name that is no text', [0x54, 1, 1, 0xff, 0]],
    ['an unknown operation', [...HEAD, 7, 0, ...ONE, 5]],
    ['an unknown type', [...HEAD, 18, 0, ...ONE, 6]],
    ['an end within an integer', [...HEAD, 18, 0, 1, 0, 0]],
    ['an end within a real', [...HEAD, 18, 0, ...ONE, 2, 0]],
    ['a text longer than the rest', [...HEAD, 18, 0, ...ONE, 3, 9, 0x61]],
    ['a blob of four gigabytes', [...HEAD, 18, 0, ...ONE, 4, 0x8f, 0xff, 0xff, 0xff, 0x7f]],
    ['a real that is no number', [...HEAD, 18, 0, ...ONE, 2, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]],
    ['an end before the indirect flag', [...HEAD, 18]],
    ['an update without its second record', [...HEAD, 23, 0, ...ONE, 5]],
  ])('refuses %s', (fault, bytes) => {
    expect(() => decode(new Uint8Array(bytes))).toThrow(withCode('SOURCE_CORRUPT_RESULT'))
    // What is only passed over has no value to look at.
    if (fault !== 'a real that is no number') expect(() => pass(new Uint8Array(bytes))).toThrow(withCode('SOURCE_CORRUPT_RESULT'))
  })
})
