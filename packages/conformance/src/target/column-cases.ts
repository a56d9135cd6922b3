import { equal } from '../assert/equal.ts'
import { needsTriggers, targetCase, type TargetCase } from './target-case.ts'
import { batchOf, checkpointOf, columnOf, commitOf, expectRows, ITEMS, openTable } from './target-fixture.ts'
import { defined } from '../assert/defined.ts'

const [ID, LABEL, SIZE] = ITEMS.columns
const id = defined(ID, 'id')
const label = defined(LABEL, 'label')
const size = defined(SIZE, 'size')
const extra = columnOf('extra', 'text', { ordinal: 4 })

export const columnCases: readonly TargetCase[] = [
  targetCase('TGT-60', 'adds columns, NULL in every row, together with the checkpoint', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
    const table = { ...ITEMS, columns: [...ITEMS.columns, extra] }
    await fixture.connection.addColumns(table, [extra], commitOf(fixture, 'added'))
    equal([await harness.columnNames('items'), await checkpointOf(fixture)], [['id', 'label', 'size', 'extra'], 'added'], 'columns and checkpoint')
    await expectRows(fixture, table, [[1, 'a', 10, null]])
    await fixture.connection.apply(batchOf(table, { upserts: [[1, 'a', 10, 'x'], [2, 'b', 20, null]] }), commitOf(fixture, 'next'))
    await expectRows(fixture, table, [[1, 'a', 10, 'x'], [2, 'b', 20, null]])
  }),
  targetCase('TGT-61', 'follows a renamed column by its ordinal and keeps its values', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
    const table = { ...ITEMS, columns: [id, { ...label, name: 'title' }, size] }
    await fixture.connection.alterColumns(table, ITEMS.columns, commitOf(fixture, 'renamed'))
    equal(await harness.columnNames('items'), ['id', 'title', 'size'], 'columns')
    await expectRows(fixture, table, [[1, 'a', 10]])
  }),
  targetCase('TGT-62', 'follows two columns that swapped their names', async (harness) => {
    const [first, second] = [columnOf('left', 'text', { ordinal: 2 }), columnOf('right', 'text', { ordinal: 3 })]
    await using fixture = await openTable(harness, { ...ITEMS, columns: [id, first, second] }, [[1, 'l', 'r']])
    const table = { ...ITEMS, columns: [id, { ...first, name: 'right' }, { ...second, name: 'left' }] }
    await fixture.connection.alterColumns(table, [id, first, second], commitOf(fixture, 'swapped'))
    await expectRows(fixture, table, [[1, 'l', 'r']])
  }),
  targetCase('TGT-63', 'drops columns, also one that was indexed, and keeps the rest', async (harness) => {
    const before = { ...ITEMS, indexes: [{ columns: ['size'], unique: false }] }
    await using fixture = await openTable(harness, before, [[1, 'a', 10]])
    const table = { ...ITEMS, columns: [id, label] }
    await fixture.connection.alterColumns(table, ITEMS.columns, commitOf(fixture, 'dropped'))
    equal([await harness.columnNames('items'), await harness.indexColumns('items')], [['id', 'label'], []], 'columns and indexes')
    await expectRows(fixture, table, [[1, 'a']])
  }),
  targetCase('TGT-64', 'takes a column that was dropped and added again for a new one', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
    const table = { ...ITEMS, columns: [id, size, { ...label, ordinal: 4 }] }
    await fixture.connection.alterColumns(table, ITEMS.columns, commitOf(fixture, 'again'))
    await expectRows(fixture, table, [[1, 10, null]])
  }),
  targetCase('TGT-65', 'follows the rename of a key column', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
    const table = { ...ITEMS, key: ['number'], columns: [{ ...id, name: 'number' }, label, size] }
    await fixture.connection.alterColumns(table, ITEMS.columns, commitOf(fixture, 'renamed'))
    const result = await fixture.connection.apply(batchOf(table, { upserts: [[1, 'b', 10], [2, 'c', 20]] }), commitOf(fixture, 'next'))
    equal(result, { changed: 2, deleted: 0 }, 'result of an upsert')
    await expectRows(fixture, table, [[1, 'b', 10], [2, 'c', 20]])
  }),
  targetCase('TGT-66', 'a user\'s triggers do not fire while columns are followed', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
    const counts = await defined(harness.watch?.bind(harness), 'watch, which the facts promise')('items')
    const table = { ...ITEMS, columns: [id, { ...label, name: 'title' }, size] }
    await fixture.connection.alterColumns(table, ITEMS.columns, commitOf(fixture, 'renamed'))
    equal(await counts(), { inserts: 0, updates: 0, deletes: 0 }, 'what triggers counted')
  }, needsTriggers),
]
