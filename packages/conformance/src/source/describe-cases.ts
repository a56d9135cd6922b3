import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { failsWith } from '../assert/fails-with.ts'
import { COLUMN_KINDS, STORAGE_OF_KIND, type ColumnKind, type TableSpec } from '../harness/table-spec.ts'
import { needsKinds, sourceCase, type SourceCase } from './source-case.ts'
import { column, EVENTS, event, openFixture, read } from './source-fixture.ts'

const COMPOSITE: TableSpec = {
  name: 'composite',
  columns: [
    { name: 'note', kind: 'text', nullable: true },
    { name: 'minor', kind: 'int' },
    { name: 'major', kind: 'int' },
  ],
  key: ['major', 'minor'],
}

/** Logical types that a kind may get by default. */
const LOGICAL_TYPES: Readonly<Record<ColumnKind, readonly string[]>> = {
  int: ['integer'],
  bigint: ['integer'],
  real: ['real'],
  decimal: ['decimal', 'text', 'raw'],
  text: ['text'],
  bool: ['boolean', 'integer'],
  blob: ['blob'],
  timestamp: ['timestamp', 'text', 'raw'],
  date: ['date', 'text', 'raw'],
}

export const describeCases: readonly SourceCase[] = [
  sourceCase('SRC-02', 'describes columns in the engine\'s order, with growing ordinals, nullability and key', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS)
    const { columns, key, kind } = fixture.table
    equal(columns.map(({ name, nullable }) => ({ name, nullable })), [
      { name: 'id', nullable: false }, { name: 'seen', nullable: true }, { name: 'note', nullable: true },
    ], 'columns')
    check(columns.every((one, index) => one.ordinal > (columns[index - 1]?.ordinal ?? 0)), 'ordinals begin at 1 and grow')
    equal([kind, key], ['table', ['id']], 'kind and key')
  }),
  sourceCase('SRC-03', 'gives a composite key in key order, not in column order', async (harness) => {
    await using fixture = await openFixture(harness, COMPOSITE)
    equal(fixture.table.key, ['major', 'minor'], 'key')
  }),
  sourceCase('SRC-04', 'gives an empty key where there is no primary key', async (harness) => {
    await using fixture = await openFixture(harness, { ...EVENTS, key: [] })
    equal(fixture.table.key, [], 'key')
  }),
  sourceCase('SRC-06', 'an unknown table is TABLE_UNKNOWN', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS)
    await failsWith('TABLE_UNKNOWN', () => fixture.connection.describeTable({ ...fixture.created.ref, name: 'no_such_table' }), 'describing')
    await fixture.connection.describeTable(fixture.created.ref)
  }),
  sourceCase('SRC-07', 'a table dropped between two reads is TABLE_UNKNOWN, and the connection stays usable', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    await harness.dropTable(fixture.created)
    await failsWith('TABLE_UNKNOWN', () => read(fixture), 'reading')
    await harness.createTable(EVENTS)
    equal((await read(fixture)).rows.length, 0, 'rows of the new table')
  }),
  sourceCase('SRC-08', 'an unknown column is COLUMN_UNKNOWN, as column, key or tracking', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    const unknown = { ...column(fixture.table, 'note'), name: 'no_such_column' }
    await failsWith('COLUMN_UNKNOWN', () => read(fixture, { columns: [unknown] }), 'a column')
    await failsWith('COLUMN_UNKNOWN', () => read(fixture, { key: ['no_such_column'] }), 'a key')
    await failsWith('COLUMN_UNKNOWN', () => read(fixture, { tracking: 'no_such_column' }), 'a tracking column')
    equal((await read(fixture)).rows.length, 1, 'rows afterwards')
  }),
  sourceCase('SRC-09', 'lists secondary indexes', async (harness) => {
    const indexes = [{ columns: ['seen'], unique: false }, { columns: ['seen', 'id'], unique: true }]
    await using fixture = await openFixture(harness, { ...EVENTS, indexes })
    const found = fixture.table.indexes.map(({ columns, unique }) => `${columns.join(',')} ${unique ? 'unique' : 'plain'}`)
    equal(found.toSorted(), ['seen plain', 'seen,id unique'], 'indexes')
  }, ({ facts }) => facts.reportsIndexes || 'the source does not list indexes, see SRC-10'),
  sourceCase('SRC-10', 'a source that does not list indexes lists none, instead of some', async (harness) => {
    await using fixture = await openFixture(harness, { ...EVENTS, indexes: [{ columns: ['seen'], unique: false }] })
    equal(fixture.table.indexes, [], 'indexes')
  }, ({ facts }) => !facts.reportsIndexes || 'the source lists indexes'),
  sourceCase('SRC-11', 'the version stays through changes of rows and moves with a new column', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS)
    await harness.insert(fixture.created, [event(1, 1)])
    const same = await fixture.connection.describeTable(fixture.created.ref)
    equal(same.version, fixture.table.version, 'version after an insert')
    await harness.addColumn(fixture.created, { name: 'extra', kind: 'int', nullable: true })
    const changed = await fixture.connection.describeTable(fixture.created.ref)
    check(changed.version !== fixture.table.version, 'the version differs after a column was added')
    equal(changed.columns.map((one) => one.name), ['id', 'seen', 'note', 'extra'], 'columns')
  }),
  sourceCase('SRC-12', 'a page tells the version it was read under, so that a new column is seen at once', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    const before = defined((await read(fixture)).schemaVersion, 'the version of a page')
    equal((await read(fixture)).schemaVersion, before, 'version of the next page')
    await harness.addColumn(fixture.created, { name: 'extra', kind: 'int', nullable: true })
    check((await read(fixture)).schemaVersion !== before, 'the version of a page differs after a column was added')
  }, ({ capabilities }) => capabilities.reportsSchemaVersion || 'pages tell no version, see SRC-13'),
  sourceCase('SRC-13', 'a source whose pages tell no version leaves it undefined', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    equal((await read(fixture)).schemaVersion, undefined, 'version of a page')
  }, ({ capabilities }) => !capabilities.reportsSchemaVersion || 'pages tell a version'),
  sourceCase('SRC-14', 'an override to a type that the column does not allow is CONFIG_INVALID', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS)
    const overrides = { id: { type: 'interval' } } as const
    await failsWith('CONFIG_INVALID', () => fixture.connection.describeTable(fixture.created.ref, { overrides }), 'describing')
  }),
]

/** One case per kind of column, so that an engine without a kind skips just that one. */
export const kindCases: readonly SourceCase[] = COLUMN_KINDS.map((kind) => sourceCase(
  `SRC-05.${kind}`,
  `decides logical type and storage of a ${kind} column`,
  async (harness) => {
    const spec: TableSpec = { name: 'kinds', key: ['id'], columns: [{ name: 'id', kind: 'int' }, { name: 'held', kind, nullable: true }] }
    await using fixture = await openFixture(harness, spec)
    const { logicalType, storage } = column(fixture.table, 'held')
    check(LOGICAL_TYPES[kind].includes(logicalType), `a ${kind} column may be ${logicalType}`)
    equal(storage, STORAGE_OF_KIND[kind], 'storage')
  },
  needsKinds(kind),
))
