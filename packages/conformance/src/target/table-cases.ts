import { check } from '../assert/check.ts'
import { equal } from '../assert/equal.ts'
import { failsWith } from '../assert/fails-with.ts'
import { needsReconnect, targetCase, type TargetCase } from './target-case.ts'
import { batchOf, checkpointOf, columnOf, commitOf, expectRows, ITEMS, openTable, openTarget, PREFIX, tableOf } from './target-fixture.ts'

const HOSTILE = ['a"b""c', 'it\'s', 'a`b', 'back\\slash', 'select', 'MixedCase', 'dot.ted name', 'größe', 'x"; drop table y; --', '1 leading', `long_${'x'.repeat(58)}`, '?1 $x :y @z']

export const tableCases: readonly TargetCase[] = [
  targetCase('TGT-01', 'capabilities are answered in full and the address is not empty', async (harness) => {
    const { capabilities, address } = harness.target()
    const kinds = Object.entries(capabilities).map(([name, value]) => `${name}:${typeof value}`).toSorted()
    equal(kinds, ['maxParameters:number', 'maxRowBytes:number', 'shared:boolean', 'synchronous:boolean'], 'capabilities')
    check(capabilities.maxParameters >= 1 && capabilities.maxRowBytes >= 1 && address.length > 0, 'limits and address are usable')
  }),
  targetCase('TGT-02', 'connecting again finds everything as it was', async (harness) => {
    {
      await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
      await checkpointOf(fixture)
    }
    await using again = await openTarget(harness)
    equal([await again.connection.inspectTable('items'), await checkpointOf(again)], ['owned', 'filled'], 'status and checkpoint')
    await expectRows(again, ITEMS, [[1, 'a', 10]])
  }, needsReconnect),
  targetCase('TGT-03', 'a table is absent, owned or foreign', async (harness) => {
    await using fixture = await openTable(harness, ITEMS)
    await harness.createForeignTable('theirs')
    const { connection } = fixture
    equal([await connection.inspectTable('nothing'), await connection.inspectTable('items'), await connection.inspectTable('theirs')], ['absent', 'owned', 'foreign'], 'status')
  }),
  targetCase('TGT-04', 'creates an empty table with its columns in order, its indexes and the checkpoint', async (harness) => {
    await using fixture = await openTable(harness, { ...ITEMS, indexes: [{ columns: ['size', 'label'], unique: false }] })
    equal(await harness.columnNames('items'), ['id', 'label', 'size'], 'columns')
    equal(await harness.indexColumns('items'), [['size', 'label']], 'indexes')
    equal(await checkpointOf(fixture), 'created', 'checkpoint')
    await expectRows(fixture, ITEMS, [])
  }),
  targetCase('TGT-05', 'a foreign table is TARGET_NOT_OWNED to create over or to drop, and stays as it is', async (harness) => {
    await using fixture = await openTarget(harness)
    const { connection } = fixture
    await harness.createForeignTable('items')
    await failsWith('TARGET_NOT_OWNED', () => connection.createTable(ITEMS, commitOf(fixture, 'created')), 'creating')
    await failsWith('TARGET_NOT_OWNED', () => connection.dropTable('items'), 'dropping')
    equal([await harness.rows('items', ['id']), await checkpointOf(fixture)], [[['integer:7']], undefined], 'rows and checkpoint')
  }),
  targetCase('TGT-06', 'drops a table of its own, without a trace', async (harness) => {
    await using fixture = await openTable(harness, { ...ITEMS, indexes: [{ columns: ['size'], unique: false }] }, [[1, 'a', 10]])
    await fixture.connection.dropTable('items')
    equal([await fixture.connection.inspectTable('items'), await harness.tableNames()], ['absent', []], 'status and tables')
    await fixture.connection.createTable(ITEMS, commitOf(fixture, 'again'))
    await expectRows(fixture, ITEMS, [])
  }),
  ...HOSTILE.map((name, index) => targetCase(`TGT-07.${index + 1}`, `takes ${name} as name of a table, of columns and of an indexed column`, async (harness) => {
    const table = tableOf([columnOf(name), columnOf(`${name.slice(0, 60)} 2`, 'text')], { name, indexes: [{ columns: [name], unique: true }] })
    await using fixture = await openTable(harness, table, [[1, 'a'], [2, 'b']])
    await fixture.connection.apply(batchOf(table, { upserts: [[2, 'c']], deletes: [[1]] }), commitOf(fixture, 'changed'))
    await expectRows(fixture, table, [[2, 'c']])
    equal(await fixture.connection.inspectTable(name), 'owned', 'status')
    const columns = table.columns.map((column) => column.name)
    equal((await fixture.connection.readRows({ table, columns, after: [1], limit: 5 })).length, 1, 'rows read')
    equal((await fixture.connection.findRows({ table, columns, keys: [[2]] })).length, 1, 'rows found')
    await fixture.connection.dropTable(name)
  })),
  targetCase('TGT-08', 'another prefix is another Tidemark: its own ledger, and foreign tables', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
    await using other = await harness.target().connect({ tablePrefix: 'other_' })
    equal([await other.ledger.listReplications(), await other.inspectTable('items')], [[], 'foreign'], 'replications and status under the other prefix')
    const fence = await other.ledger.acquireLease({ lease: 'sync', holder: 'second', nowMs: 0, ttlMs: 1_000 })
    check(fence !== undefined, 'leases of another prefix are free')
    equal(await checkpointOf(fixture), 'filled', 'checkpoint under the first prefix')
  }, needsReconnect),
  targetCase('TGT-09', 'a state written by a newer version is STATE_NEWER and stays untouched', async (harness) => {
    await using fixture = await openTable(harness, ITEMS)
    await fixture.connection[Symbol.asyncDispose]()
    await harness.makeStateNewer(PREFIX)
    const before = await harness.stateDigest(PREFIX)
    await failsWith('STATE_NEWER', () => harness.target().connect({ tablePrefix: PREFIX }), 'connecting')
    equal(await harness.stateDigest(PREFIX), before, 'state')
  }, needsReconnect),
]
