import type { Value } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { equal } from '../assert/equal.ts'
import { settle } from '../assert/fails-with.ts'
import { ConformanceError } from '../assert/conformance-error.ts'
import type { ColumnKind, RowRecord, TableSpec } from '../harness/table-spec.ts'
import { needsKinds, sourceCase, type SourceCase } from './source-case.ts'
import { expectedLines, openFixture, read, readAll, type SourceFixture } from './source-fixture.ts'

export const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_empty, index) => index)

/** Values that other tools are known to change, by kind of column. */
export const HARD_VALUES: Readonly<Record<ColumnKind, readonly Value[]>> = {
  int: [0, 1, -1, 2_147_483_647, -2_147_483_648],
  bigint: [0n, 9_007_199_254_740_993n, -9_007_199_254_740_993n, 9_223_372_036_854_775_807n, -9_223_372_036_854_775_807n],
  real: [0, 0.1, -1.5, 1e300, 2.2250738585072014e-308, 1_234_567_890.123_456_7, 3],
  decimal: ['0.0000000000', '1.1000000000', '-12345678901234567890.1234567891', '99999999999999999999.9999999999', '0.0000000001'],
  text: [
    '', ' ', 'plain', ' padded ', 'it\'s', 'say "hi"', 'a,b;c', 'line\nbreak', 'car\rriage', 'tab\there', 'back\\slash', '\\N', '\\.', '\\x41', 'NULL', 'null',
    '00123', '1e5', 'ünï', '日本語', '😀 👩‍👩‍👧', '\u{10FFFF}', '\uFEFFmarked', '\uFEFF', '\u0001\u001f', 'x'.repeat(70_000),
  ],
  bool: [true, false],
  blob: [new Uint8Array(0), EVERY_BYTE, Uint8Array.of(0), Uint8Array.of(0, 0), new TextEncoder().encode('text'), new Uint8Array(70_000).fill(0xfe)],
  timestamp: ['1970-01-01T00:00:00.000000', '2024-02-29T23:59:59.999999', '2024-03-31T02:30:00.000001', '2024-10-27T02:30:00.100000', '1999-12-31T00:00:00.123000'],
  date: ['1970-01-01', '2024-02-29', '1999-12-31'],
}

export function specOfKind(kind: ColumnKind): TableSpec {
  return { name: `values_${kind}`, columns: [{ name: 'id', kind: 'int' }, { name: 'held', kind, nullable: true }], key: ['id'] }
}

/** The hard values of a kind as rows, and a NULL at the end. */
export function hardRows(kind: ColumnKind): readonly RowRecord[] {
  return [...HARD_VALUES[kind], null].map((held, index) => ({ id: index + 1, held }))
}

/** Kinds that can be part of a key in every engine that has them. */
const KEY_KINDS: readonly ColumnKind[] = ['int', 'bigint', 'decimal', 'text', 'timestamp', 'date']

export const valueCases: readonly SourceCase[] = [
  ...kindCasesOf('SRC-40', 'gives %s values exactly, and NULL apart from everything else', async (fixture, kind) => {
    equal(await readAll(fixture, {}), expectedLines(fixture.created.spec, hardRows(kind)), 'rows')
    for (const row of (await read(fixture)).rows) checkLegal(row[1] ?? null, kind)
  }),
  ...KEY_KINDS.map((kind) => sourceCase(`SRC-41.${kind}`, `pages by ${kind} tracking values without changing one`, async (harness) => {
    const rows = hardRows(kind).filter((row) => row.held !== null)
    await using fixture = await openFixture(harness, specOfKind(kind), rows)
    const whole = await readAll(fixture, { tracking: 'held' })
    equal(whole.toSorted(), expectedLines(fixture.created.spec, rows).toSorted(), 'rows in one page')
    equal(await readAll(fixture, { tracking: 'held', limit: 1 }), whole, 'rows one by one')
  }, needsKinds(kind))),
  ...KEY_KINDS.map((kind) => sourceCase(`SRC-42.${kind}`, `pages and looks up by a key with a ${kind} part`, async (harness) => {
    const spec: TableSpec = { ...specOfKind(kind), name: `keys_${kind}`, key: ['held', 'id'] }
    const rows = hardRows(kind).filter((row) => row.held !== null && !(typeof row.held === 'string' && row.held.length > 100))
    await using fixture = await openFixture(harness, spec, rows)
    const whole = await readAll(fixture, {})
    equal(whole.toSorted(), expectedLines(spec, rows).toSorted(), 'rows in one page')
    equal(await readAll(fixture, { limit: 1 }), whole, 'rows one by one')
    const keys = rows.map((row) => [row.held ?? null, row.id ?? null])
    const found = await fixture.connection.readRowsByKey({ table: fixture.table, columns: fixture.table.columns, key: spec.key, keys })
    equal(found.length, rows.length, 'rows found by key')
  }, needsKinds(kind))),
  sourceCase('SRC-43', 'keeps U+0000 within text', async (harness) => {
    const rows = [{ id: 1, held: 'before\0after' }, { id: 2, held: '\0' }]
    await using fixture = await openFixture(harness, specOfKind('text'), rows)
    equal(await readAll(fixture, { limit: 1 }), expectedLines(fixture.created.spec, rows), 'rows')
  }, ({ facts }) => facts.textHoldsNul || 'the engine refuses U+0000 in text, see SRC-44'),
  sourceCase('SRC-44', 'the engine refuses U+0000 within text, so none can be lost', async (harness) => {
    const created = await harness.createTable(specOfKind('text'))
    const outcome = await settle(() => harness.insert(created, [{ id: 1, held: 'before\0after' }]))
    if (!('error' in outcome)) throw new ConformanceError('the engine took U+0000: say so in the facts')
  }, ({ facts }) => !facts.textHoldsNul || 'text may hold U+0000'),
]

function kindCasesOf(id: string, title: string, run: (fixture: SourceFixture, kind: ColumnKind) => Promise<void>): readonly SourceCase[] {
  // The keys of a total record are all kinds, in its order.
  return (Object.keys(HARD_VALUES) as ColumnKind[]).map((kind) => sourceCase(`${id}.${kind}`, title.replace('%s', kind), async (harness) => {
    await using fixture = await openFixture(harness, specOfKind(kind), hardRows(kind))
    await run(fixture, kind)
  }, needsKinds(kind)))
}

/** Integers are safe or bigint, floats are finite; the rest of the union cannot be wrong by type. */
function checkLegal(value: Value, kind: ColumnKind): void {
  if (typeof value === 'number') check(kind === 'real' ? Number.isFinite(value) : Number.isSafeInteger(value), `${value} is a legal number of a ${kind} column`)
}
