import type { LogicalType, RowValues, TargetTable } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { equal } from '../assert/equal.ts'
import { defined } from '../assert/defined.ts'
import { failsWith } from '../assert/fails-with.ts'
import { times } from '../source/source-fixture.ts'
import { STORED_VALUES } from './apply-cases.ts'
import { needsReconnect, needsTriggers, targetCase, type TargetCase } from './target-case.ts'
import { batchOf, checkpointOf, columnOf, commitOf, expectRows, fill, ITEMS, openTable, openTarget, tableOf, type TargetFixture } from './target-fixture.ts'

export const loadCases: readonly TargetCase[] = [
  targetCase('TGT-40', 'loads in slices, each with its checkpoint, and shows nothing before it is published', async (harness) => {
    await using fixture = await openTarget(harness)
    await using load = await fixture.connection.openLoad(ITEMS, { resume: false })
    fill(load, ITEMS, [[1, 'a', 10], [2, 'b', 20]])
    check(load.pendingRows === 2 && load.pendingBytes > 0, 'the load tells what is pending')
    await load.commit(commitOf(fixture, 'slice 1'))
    equal([load.pendingRows, load.pendingBytes, await checkpointOf(fixture)], [0, 0, 'slice 1'], 'pending and checkpoint')
    fill(load, ITEMS, [[3, 'c', 30]])
    await load.commit(commitOf(fixture, 'slice 2'))
    equal(await fixture.connection.inspectTable('items'), 'absent', 'status before publishing')
    await load[Symbol.asyncDispose]()
    await fixture.connection.publishLoad(ITEMS, commitOf(fixture, 'published'))
    equal([await fixture.connection.inspectTable('items'), await checkpointOf(fixture)], ['owned', 'published'], 'status and checkpoint')
    await expectRows(fixture, ITEMS, [[1, 'a', 10], [2, 'b', 20], [3, 'c', 30]])
    equal(await harness.tableNames(), ['items'], 'tables: the staged one is gone')
  }),
  targetCase('TGT-41', 'goes on after a restart with the rows of earlier commits, and without those that were pending', async (harness) => {
    {
      await using first = await openTarget(harness)
      await using load = await first.connection.openLoad(ITEMS, { resume: false })
      fill(load, ITEMS, [[1, 'a', 10]])
      await load.commit(commitOf(first, 'slice 1'))
      fill(load, ITEMS, [[2, 'lost', 20]])
    }
    await using second = await openTarget(harness)
    equal(await checkpointOf(second), 'slice 1', 'checkpoint')
    await loadRows(second, ITEMS, [[2, 'b', 20]], true)
    await expectRows(second, ITEMS, [[1, 'a', 10], [2, 'b', 20]])
  }, needsReconnect),
  targetCase('TGT-42', 'going on without a staged table is STATE_CORRUPT', async (harness) => {
    await using fixture = await openTarget(harness)
    await failsWith('STATE_CORRUPT', () => fixture.connection.openLoad(ITEMS, { resume: true }), 'opening')
  }),
  targetCase('TGT-43', 'beginning anew empties what an earlier load had staged', async (harness) => {
    await using fixture = await openTarget(harness)
    {
      await using load = await fixture.connection.openLoad(ITEMS, { resume: false })
      fill(load, ITEMS, [[1, 'old', 10]])
      await load.commit(commitOf(fixture, 'slice 1'))
    }
    await loadRows(fixture, ITEMS, [[2, 'new', 20]])
    await expectRows(fixture, ITEMS, [[2, 'new', 20]])
  }),
  targetCase('TGT-44', 'serves and even changes the old table until the new one takes its place', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'old', 10]])
    await using load = await fixture.connection.openLoad(ITEMS, { resume: false })
    fill(load, ITEMS, [[5, 'new', 50]])
    await load.commit(commitOf(fixture, 'slice 1'))
    await expectRows(fixture, ITEMS, [[1, 'old', 10]], 'rows while loading')
    await load[Symbol.asyncDispose]()
    await fixture.connection.apply(batchOf(ITEMS, { upserts: [[2, 'old', 20]] }), commitOf(fixture, 'meanwhile'))
    await fixture.connection.publishLoad(ITEMS, commitOf(fixture, 'published'))
    await expectRows(fixture, ITEMS, [[5, 'new', 50]], 'rows once published')
    await fixture.connection.apply(batchOf(ITEMS, { upserts: [[5, 'newer', 51], [6, 'more', 60]] }), commitOf(fixture, 'after'))
    await expectRows(fixture, ITEMS, [[5, 'newer', 51], [6, 'more', 60]], 'rows after a change')
  }),
  targetCase('TGT-45', 'the published table has its indexes', async (harness) => {
    await using fixture = await openTarget(harness)
    const table = { ...ITEMS, indexes: [{ columns: ['size'], unique: false }, { columns: ['label', 'size'], unique: true }] }
    await loadRows(fixture, table, [[1, 'a', 10], [2, 'a', 10]])
    equal((await harness.indexColumns('items')).toSorted(), [['label', 'size'], ['size']], 'indexes')
    await loadRows(fixture, table, [[3, 'a', 10]])
    equal((await harness.indexColumns('items')).toSorted(), [['label', 'size'], ['size']], 'indexes after a second load')
  }),
  targetCase('TGT-46', 'an index that the user made stays', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
    await harness.addUserIndex('items', ['size', 'label'])
    await loadRows(fixture, ITEMS, [[2, 'b', 20]])
    equal(await harness.indexColumns('items'), [['size', 'label']], 'indexes')
  }),
  targetCase('TGT-47', 'a trigger that the user made stays, and does not fire for the rows of the load', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
    const counts = await defined(harness.watch?.bind(harness), 'watch, which the facts promise')('items')
    await loadRows(fixture, ITEMS, [[2, 'b', 20]])
    equal(await counts(), { inserts: 0, updates: 0, deletes: 0 }, 'what triggers counted during the load')
    await fixture.connection.apply(batchOf(ITEMS, { upserts: [[3, 'c', 30]] }), commitOf(fixture, 'after'))
    equal(await counts(), { inserts: 1, updates: 0, deletes: 0 }, 'what triggers counted afterwards')
  }, needsTriggers),
  targetCase('TGT-48', 'a discarded load leaves nothing, and discarding none is no error', async (harness) => {
    await using fixture = await openTarget(harness)
    await fixture.connection.discardLoad('items')
    {
      await using load = await fixture.connection.openLoad(ITEMS, { resume: false })
      fill(load, ITEMS, [[1, 'a', 10]])
      await load.commit(commitOf(fixture, 'slice 1'))
    }
    await fixture.connection.discardLoad('items')
    equal([await fixture.connection.inspectTable('items'), await harness.tableNames()], ['absent', []], 'status and tables')
    await failsWith('STATE_CORRUPT', () => fixture.connection.openLoad(ITEMS, { resume: true }), 'going on')
  }),
  targetCase('TGT-49', 'a load closed without commit leaves rows and checkpoint as they were', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
    {
      await using load = await fixture.connection.openLoad(ITEMS, { resume: false })
      fill(load, ITEMS, [[2, 'b', 20]])
    }
    equal(await checkpointOf(fixture), 'filled', 'checkpoint')
    await expectRows(fixture, ITEMS, [[1, 'a', 10]])
    await fixture.connection.apply(batchOf(ITEMS, { upserts: [[3, 'c', 30]] }), commitOf(fixture, 'next'))
  }),
  ...Object.entries(STORED_VALUES).map(([type, values]) => targetCase(`TGT-50.${type}`, `loads ${type} values exactly, and takes them for equal afterwards`, async (harness) => {
    // The keys of the record are logical types.
    const table = tableOf([columnOf('id'), columnOf('held', type as LogicalType)])
    const rows = [...values, null].map((value, index): RowValues => [index + 1, value])
    await using fixture = await openTarget(harness)
    await loadRows(fixture, table, rows)
    await expectRows(fixture, table, rows)
    equal(await fixture.connection.apply(batchOf(table, { upserts: rows }), commitOf(fixture, 'same')), { changed: 0, deleted: 0 }, 'result of the same rows by apply')
  })),
  targetCase('TGT-51', 'a table without key keeps equal rows apart', async (harness) => {
    const table: TargetTable = { ...ITEMS, key: [] }
    await using fixture = await openTarget(harness)
    await loadRows(fixture, table, [[1, 'a', 10], [1, 'a', 10], [null, null, null]])
    await expectRows(fixture, table, [[1, 'a', 10], [1, 'a', 10], [null, null, null]])
  }),
  targetCase('TGT-52', 'a row above the limit is TARGET_ROW_TOO_LARGE at its end, and the rows around it can be committed', async (harness) => {
    const { maxRowBytes } = harness.target().capabilities
    await using fixture = await openTarget(harness)
    await using load = await fixture.connection.openLoad(ITEMS, { resume: false })
    fill(load, ITEMS, [[1, 'a', 10]])
    load.integer(2)
    const bytes = new Uint8Array(maxRowBytes + 1).fill(0x78)
    load.text(bytes, 0, bytes.length)
    load.integer(20)
    await failsWith('TARGET_ROW_TOO_LARGE', async () => load.endRow(), 'the end of the row')
    equal(load.pendingRows, 1, 'pending rows')
    fill(load, ITEMS, [[3, 'c', 30]])
    await load.commit(commitOf(fixture, 'slice 1'))
    await load[Symbol.asyncDispose]()
    await fixture.connection.publishLoad(ITEMS, commitOf(fixture, 'published'))
    await expectRows(fixture, ITEMS, [[1, 'a', 10], [3, 'c', 30]])
  }, ({ capabilities }) => capabilities.maxRowBytes <= 8_000_000 || 'rows may be larger than a test ought to make one'),
  targetCase('TGT-53', 'a foreign table is not replaced: TARGET_NOT_OWNED', async (harness) => {
    await using fixture = await openTarget(harness)
    await harness.createForeignTable('items')
    await failsWith('TARGET_NOT_OWNED', () => loadRows(fixture, ITEMS, [[1, 'a', 10]]), 'loading')
    equal(await harness.rows('items', ['id']), [['integer:7']], 'rows')
  }),
  targetCase('TGT-54', 'loads 5,000 rows in one commit', async (harness) => {
    await using fixture = await openTarget(harness)
    const rows = times(5_000, (number): RowValues => [number, `label ${number}`, number % 7])
    await loadRows(fixture, ITEMS, rows)
    await expectRows(fixture, ITEMS, rows)
  }),
  targetCase('TGT-55', 'loads a table that marks deleted rows: none is marked, and marking goes on afterwards', async (harness) => {
    const table = { ...ITEMS, deletedAtColumn: 'deleted_at' }
    await using fixture = await openTarget(harness)
    await loadRows(fixture, table, [[1, 'a', 10], [2, null, 20]])
    await expectRows(fixture, table, [[1, 'a', 10], [2, null, 20]])
    equal((await harness.rows('items', ['deleted_at'])).flat(), ['null', 'null'], 'marks')
    equal((await fixture.connection.apply(batchOf(table, { deletes: [[1]] }), commitOf(fixture, 'deleted'))).deleted, 1, 'rows deleted')
    await expectRows(fixture, table, [[1, 'a', 10], [2, null, 20]], 'rows after the delete')
    await loadRows(fixture, table, [[1, 'a', 10]])
    equal(await harness.rows('items', ['id', 'deleted_at']), [['integer:1', 'null']], 'rows and marks of a second load')
  }),
]

export async function loadRows(fixture: TargetFixture, table: TargetTable, rows: readonly RowValues[], resume = false): Promise<void> {
  {
    await using load = await fixture.connection.openLoad(table, { resume })
    fill(load, table, rows)
    await load.commit(commitOf(fixture, 'loaded'))
  }
  await fixture.connection.publishLoad(table, commitOf(fixture, 'published'))
}
