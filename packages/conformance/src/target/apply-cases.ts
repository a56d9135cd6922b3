import type { LogicalType, RowValues, Value } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { failsWith } from '../assert/fails-with.ts'
import { EVERY_BYTE, HARD_VALUES } from '../source/value-cases.ts'
import { times } from '../source/source-fixture.ts'
import { needsTriggers, targetCase, type TargetCase } from './target-case.ts'
import { batchOf, checkpointOf, columnOf, commitOf, expectRows, ITEMS, openTable, tableOf, type TargetFixture } from './target-fixture.ts'

/** Values by logical type that a target must hold bit by bit. */
export const STORED_VALUES: Partial<Record<LogicalType, readonly Value[]>> = {
  integer: [0, 1, -1, 2 ** 53 - 1, 9_007_199_254_740_993n, 9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n],
  boolean: [true, false],
  // Integral floats stay floats; NaN and the infinities are kept as text of that name.
  real: [0, 1, -1.5, 0.1, 1e300, 2.2250738585072014e-308, 'NaN', 'Infinity', '-Infinity'],
  text: [...HARD_VALUES.text, 'with\0nul', '\0'],
  // None of these may turn into a number.
  decimal: ['1.10', '0', '-0.0', '12345678901234567890.1234567891', '1e5', '007', 'NaN', 'Infinity', ' 1 ', '0x10'],
  blob: [new Uint8Array(0), EVERY_BYTE, Uint8Array.of(0), new TextEncoder().encode('text')],
  timestamp: ['2024-02-29T23:59:59.999999', '-infinity', 'infinity'],
  json: ['{"b": 1, "a": 12345678901234567890}', 'null', '"x"', '1.0'],
}

export const applyCases: readonly TargetCase[] = [
  targetCase('TGT-10', 'inserts rows, counts them and writes the checkpoint with them', async (harness) => {
    await using fixture = await openTable(harness, ITEMS)
    const result = await apply(fixture, { upserts: [[1, 'a', 10], [2, null, null]] }, 'first')
    equal(result, { changed: 2, deleted: 0 }, 'result')
    await expectRows(fixture, ITEMS, [[1, 'a', 10], [2, null, null]])
    const record = defined(await fixture.connection.ledger.readReplication('copy'), 'the replication')
    equal([record.state, record.lastSyncValue, typeof record.lastSyncAtMs], ['first', 'first', 'number'], 'checkpoint')
  }),
  targetCase('TGT-11', 'changes rows that differ and counts equal ones as unchanged', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10], [2, 'b', 20], [3, null, null]])
    equal(await apply(fixture, { upserts: [[1, 'a', 10], [2, 'b', 21], [3, null, null], [4, 'd', 40]] }), { changed: 2, deleted: 0 }, 'result')
    equal(await apply(fixture, { upserts: [[1, null, 10], [3, '', null]] }), { changed: 2, deleted: 0 }, 'result where NULL and the empty text change places')
    await expectRows(fixture, ITEMS, [[1, null, 10], [2, 'b', 21], [3, '', null], [4, 'd', 40]])
  }),
  targetCase('TGT-12', 'an upsert is an update: a user\'s triggers see no delete and no insert of a row that exists, and nothing of an equal one', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10], [2, 'b', 20]])
    const counts = await defined(harness.watch?.bind(harness), 'watch, which the facts promise')('items')
    await apply(fixture, { upserts: [[1, 'a', 10], [2, 'changed', 20], [3, 'c', 30]] })
    equal(await counts(), { inserts: 1, updates: 1, deletes: 0 }, 'what triggers counted')
  }, needsTriggers),
  targetCase('TGT-13', 'deletes first, then upserts; a key that is not there is not counted', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10], [2, 'b', 20]])
    const result = await apply(fixture, { deletes: [[1], [2], [99]], upserts: [[2, 'back', 21]] })
    equal(result, { changed: 1, deleted: 2 }, 'result')
    await expectRows(fixture, ITEMS, [[2, 'back', 21]])
  }),
  targetCase('TGT-14', 'keeps tables whose columns are all key', async (harness) => {
    const table = tableOf([columnOf('left'), columnOf('right')], { key: ['left', 'right'] })
    await using fixture = await openTable(harness, table, [[1, 1]])
    const result = await fixture.connection.apply(batchOf(table, { upserts: [[1, 1], [1, 2]], deletes: [[5, 5]] }), commitOf(fixture, 'next'))
    equal(result, { changed: 1, deleted: 0 }, 'result')
    await expectRows(fixture, table, [[1, 1], [1, 2]])
  }),
  targetCase('TGT-15', 'takes composite keys in key order, wherever the columns stand', async (harness) => {
    const table = tableOf([columnOf('note', 'text'), columnOf('minor'), columnOf('major', 'text')], { key: ['major', 'minor'] })
    await using fixture = await openTable(harness, table, [['x', 1, 'a'], ['y', 2, 'a'], ['z', 1, 'b']])
    const result = await fixture.connection.apply(batchOf(table, { deletes: [['a', 1]], upserts: [['w', 1, 'b']] }), commitOf(fixture, 'next'))
    equal(result, { changed: 1, deleted: 1 }, 'result')
    await expectRows(fixture, table, [['y', 2, 'a'], ['w', 1, 'b']])
  }),
  ...Object.entries(STORED_VALUES).map(([type, values]) => targetCase(`TGT-16.${type}`, `holds ${type} values exactly, and sees that an equal row is equal`, async (harness) => {
    // The keys of the record above are logical types.
    const table = tableOf([columnOf('id'), columnOf('held', type as LogicalType)])
    const rows: readonly RowValues[] = [...values, null].map((value, index) => [index + 1, value])
    await using fixture = await openTable(harness, table, rows)
    await expectRows(fixture, table, rows)
    equal(await fixture.connection.apply(batchOf(table, { upserts: rows }), commitOf(fixture, 'again')), { changed: 0, deleted: 0 }, 'result of the same rows again')
  })),
  targetCase('TGT-17', 'compares text keys byte by byte', async (harness) => {
    const table = tableOf([columnOf('word', 'text'), columnOf('size')])
    const rows: readonly RowValues[] = [['a', 1], ['A', 2], ['a ', 3], ['á', 4], ['', 5], ['1', 6], ['1.0', 7], ['a\0', 8], ['a\0b', 9]]
    await using fixture = await openTable(harness, table, rows)
    await expectRows(fixture, table, rows)
    const { connection } = fixture
    // The sweep for deleted rows deletes by the keys that it reads here.
    const keys = await connection.readRows({ table, columns: ['word'], after: undefined, limit: 99 })
    equal(keys.flat().map(String).toSorted(), rows.map(([word]) => String(word)).toSorted(), 'keys read')
    equal((await connection.findRows({ table, columns: ['size'], keys: [['a\0'], ['1']] })).flat().map(Number).toSorted(), [6, 8], 'rows found')
    equal((await connection.apply(batchOf(table, { deletes: [['A'], ['1'], ['a\0']] }), commitOf(fixture, 'next'))).deleted, 3, 'rows deleted')
    await expectRows(fixture, table, rows.filter(([, size]) => ![2, 6, 8].includes(Number(size))), 'rows left')
  }),
  targetCase('TGT-18', 'applies far more rows at once than one statement has parameters', async (harness) => {
    await using fixture = await openTable(harness, ITEMS)
    const rows = times(3_001, (number): RowValues => [number, `label ${number}`, number])
    equal(await apply(fixture, { upserts: rows }), { changed: 3_001, deleted: 0 }, 'result of the upserts')
    equal(await apply(fixture, { upserts: [[1, 'x', 1]], deletes: rows.slice(1).map((row) => row.slice(0, 1)) }), { changed: 1, deleted: 3_000 }, 'result of the deletes')
    await expectRows(fixture, ITEMS, [[1, 'x', 1]])
  }),
  targetCase('TGT-19', 'an empty batch still moves the checkpoint', async (harness) => {
    await using fixture = await openTable(harness, ITEMS)
    equal([await apply(fixture, {}, 'empty'), await checkpointOf(fixture)], [{ changed: 0, deleted: 0 }, 'empty'], 'result and checkpoint')
  }),
  targetCase('TGT-20', 'a row that a constraint refuses is TARGET_CONSTRAINT; no row is written and the checkpoint stays', async (harness) => {
    const table = { ...ITEMS, indexes: [{ columns: ['size'], unique: true }], enforceUniques: true }
    await using fixture = await openTable(harness, table, [[1, 'a', 10]])
    const batch = batchOf(table, { deletes: [[1]], upserts: [[2, 'b', 20], [3, 'c', 30], [4, 'd', 20]] })
    await failsWith('TARGET_CONSTRAINT', () => fixture.connection.apply(batch, commitOf(fixture, 'failed')), 'applying')
    await expectRows(fixture, table, [[1, 'a', 10]])
    equal(await checkpointOf(fixture), 'filled', 'checkpoint')
    await fixture.connection.apply(batchOf(table, { upserts: [[2, 'b', 20]] }), commitOf(fixture, 'next'))
  }),
  targetCase('TGT-21', 'unique indexes are plain unless they are to be enforced', async (harness) => {
    const table = { ...ITEMS, indexes: [{ columns: ['size'], unique: true }] }
    await using fixture = await openTable(harness, table, [[1, 'a', 10], [2, 'b', 10]])
    await expectRows(fixture, table, [[1, 'a', 10], [2, 'b', 10]])
  }),
  targetCase('TGT-22', 'a row above the limit is TARGET_ROW_TOO_LARGE, alone and with nothing written', async (harness) => {
    const { maxRowBytes } = harness.target().capabilities
    await using fixture = await openTable(harness, ITEMS)
    const upserts: readonly RowValues[] = [[1, 'a', 10], [2, 'x'.repeat(maxRowBytes + 1), 20]]
    await failsWith('TARGET_ROW_TOO_LARGE', () => apply(fixture, { upserts }, 'failed'), 'applying')
    equal([await harness.rows('items', ['id']), await checkpointOf(fixture)], [[], 'created'], 'rows and checkpoint')
    await apply(fixture, { upserts: [[1, 'a', 10]] })
  }, ({ capabilities }) => capabilities.maxRowBytes <= 8_000_000 || 'rows may be larger than a test ought to make one'),
  targetCase('TGT-23', 'a deleted row is marked where the table has a column for that, and unmarked when it comes back', async (harness) => {
    const table = { ...ITEMS, deletedAtColumn: 'deleted_at' }
    await using fixture = await openTable(harness, table, [[1, 'a', 10], [2, 'b', 20]])
    equal((await fixture.connection.apply(batchOf(table, { deletes: [[1]] }), commitOf(fixture, 'deleted'))).deleted, 1, 'rows deleted')
    await expectRows(fixture, table, [[1, 'a', 10], [2, 'b', 20]], 'rows after the delete')
    const marked = new Map((await harness.rows('items', ['id', 'deleted_at'])).map(([id, at]) => [id, at]))
    check(marked.get('integer:1') !== 'null' && marked.get('integer:2') === 'null', 'just the deleted row is marked')
    const columns = ['id']
    equal(await fixture.connection.readRows({ table, columns, after: undefined, limit: 9 }).then((rows) => rows.length), 1, 'rows read: deleted ones are not among them')
    equal(await fixture.connection.findRows({ table, columns, keys: [[1]] }), [], 'rows found: deleted ones are not among them')
    equal((await fixture.connection.apply(batchOf(table, { upserts: [[1, 'a', 10]] }), commitOf(fixture, 'back'))).changed, 1, 'rows changed as it comes back')
    equal((await harness.rows('items', ['deleted_at'])).flat(), ['null', 'null'], 'marks')
  }),
  targetCase('TGT-24', 'a checkpoint saved alone leaves rows as they are', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
    await fixture.connection.save(commitOf(fixture, 'alone'))
    equal(await checkpointOf(fixture), 'alone', 'checkpoint')
    await expectRows(fixture, ITEMS, [[1, 'a', 10]])
  }),
  targetCase('TGT-25', 'pages through the table in key order, strictly after a key', async (harness) => {
    const table = tableOf([columnOf('word', 'text'), columnOf('number')], { key: ['number', 'word'] })
    const rows: readonly RowValues[] = [['b', -5], ['a', 2], ['b', 2], ['B', 10], ['a', 10], ['', 100]]
    await using fixture = await openTable(harness, table, rows.toReversed())
    const read: string[] = []
    let after: RowValues | undefined
    for (let page = 0; page < 9; page += 1) {
      const part = await fixture.connection.readRows({ table, columns: ['number', 'word'], after, limit: 2 })
      read.push(...part.map((row) => `${String(row[0])} ${String(row[1])}`))
      after = part.at(-1)
      if (part.length === 0) break
    }
    equal(read, ['-5 b', '2 a', '2 b', '10 B', '10 a', '100 '], 'rows in pages of two')
  }),
  targetCase('TGT-26', 'finds the rows of the keys that exist, also of very many', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, times(1_000, (number): RowValues => [number, `label ${number}`, number]))
    const keys = times(1_000, (number): RowValues => [number * 2])
    const found = await fixture.connection.findRows({ table: ITEMS, columns: ['label', 'id'], keys })
    equal([found.length, found.every(([label, id]) => label === `label ${String(id)}`)], [500, true], 'rows')
    equal(await fixture.connection.findRows({ table: ITEMS, columns: ['id'], keys: [] }), [], 'rows of no keys')
  }),
  targetCase('TGT-27', 'gives back what it holds: 64-bit integers, blobs, NULL and text exactly', async (harness) => {
    const table = tableOf([columnOf('id'), columnOf('number'), columnOf('bytes', 'blob'), columnOf('words', 'text')])
    const rows: readonly RowValues[] = [[1, 9_223_372_036_854_775_807n, EVERY_BYTE, 'a\0b'], [2, null, null, null], [3, -5, new Uint8Array(0), '']]
    await using fixture = await openTable(harness, table, rows)
    const columns = table.columns.map((column) => column.name)
    const read = await fixture.connection.readRows({ table, columns, after: undefined, limit: 9 })
    equal(read.map((row) => row.slice(2)), rows.map((row) => row.slice(2)), 'bytes and words')
    equal(read.map((row) => String(row[1])), rows.map((row) => String(row[1])), 'numbers')
  }),
]

function apply(fixture: TargetFixture, changes: Parameters<typeof batchOf>[1], state = 'next'): ReturnType<TargetFixture['connection']['apply']> {
  return fixture.connection.apply(batchOf(ITEMS, changes), commitOf(fixture, state))
}
