import { check } from '../assert/check.ts'
import { equal } from '../assert/equal.ts'
import { failsWith } from '../assert/fails-with.ts'
import type { TableSpec } from '../harness/table-spec.ts'
import { sourceCase, type SourceCase } from './source-case.ts'
import { expectedLines, openFixture, read, readAll, throughText } from './source-fixture.ts'

export const LONG = `long_${'x'.repeat(58)}`

export const HOSTILE: Readonly<Record<string, string>> = {
  'double-quote': 'a"b""c',
  'single-quote': 'it\'s',
  backtick: 'a`b',
  backslash: 'back\\slash',
  reserved: 'select',
  'mixed-case': 'MixedCase',
  dots: 'dot.ted name',
  unicode: 'größe_名',
  injection: 'x"; drop table y; --',
  bracket: 'a]b[c',
  question: 'what?$1:name@p',
}

/** Every hostile name as table, key, tracking column and plain column at once. */
export const nameCases: readonly SourceCase[] = [
  ...Object.entries(HOSTILE).map(([id, name]) => sourceCase(`SRC-15.${id}`, `reads tables and columns named ${name}`, (harness) => readNamed(harness, name))),
  sourceCase('SRC-16', 'reads tables and columns with names of 63 characters', (harness) => readNamed(harness, LONG), ({ facts }) =>
    facts.maxNameLength >= LONG.length || `names end at ${facts.maxNameLength} characters`),
  sourceCase('SRC-17', 'parseTable refuses NUL and the empty name with CONFIG_INVALID', async (harness) => {
    const source = harness.source()
    for (const name of ['', 'a\0b', '"a\0b"']) await failsWith('CONFIG_INVALID', async () => source.parseTable(name), JSON.stringify(name))
  }),
  sourceCase('SRC-18', 'parseTable finds a table by its plain name', async (harness) => {
    await using fixture = await openFixture(harness, specNamed('plain', 'value'))
    const ref = harness.source().parseTable('plain')
    equal((await fixture.connection.describeTable(ref)).columns.length, 2, 'columns')
  }),
  sourceCase('SRC-19', 'parseTable keeps a dot and a doubled quote within quotes', async (harness) => {
    equal(harness.source().parseTable('"odd.na""me"').name, 'odd.na"me', 'name')
  }),
]

function specNamed(table: string, name: string): TableSpec {
  return { name: table, columns: [{ name, kind: 'int' }, { name: `${name.slice(0, 60)} 2`, kind: 'int', nullable: true }], key: [name] }
}

async function readNamed(harness: Parameters<SourceCase['run']>[0], name: string): Promise<void> {
  const spec = specNamed(name, name)
  const other = spec.columns[1]?.name ?? ''
  const rows = [{ [name]: 1, [other]: 20 }, { [name]: 2, [other]: 10 }, { [name]: 3, [other]: 20 }]
  await using fixture = await openFixture(harness, spec, rows)
  equal(fixture.table.columns.map((one) => one.name), [name, other], 'column names')
  equal(await readAll(fixture, { limit: 2 }), expectedLines(spec, rows), 'rows by key')
  const tracked = await read(fixture, { tracking: other, limit: 1 })
  const rest = await read(fixture, { tracking: other, after: throughText(tracked.last) })
  equal(rest.rows.length, 2, 'rows after the first by tracking')
  const { columns } = fixture.table
  const found = await fixture.connection.readRowsByKey({ table: fixture.table, columns, key: [name], keys: [[2]] })
  equal(found.length, 1, 'rows by key value')
  const high = await fixture.connection.readHighMark({ table: fixture.table, key: [name], tracking: other })
  check(high.cursor !== undefined, 'there is a greatest row')
}
