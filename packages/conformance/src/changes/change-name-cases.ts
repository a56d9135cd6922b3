import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import type { ChangeHarness } from '../harness/change-harness.ts'
import type { ChangeTableSpec } from '../harness/change-spec.ts'
import { HOSTILE, LONG } from '../source/name-cases.ts'
import { changeCase, type ChangeCase } from './change-case.ts'
import { AMPLE, captureOne, insert, remove, update } from './change-fixture.ts'
import { checkImage, checkKey } from './change-image.ts'

/** Names that an object may have already. */
const INHERITED = { proto: '__proto__', constructor: 'constructor', 'to-string': 'toString' }

export const changeNameCases: readonly ChangeCase[] = [
  ...Object.entries({ ...HOSTILE, ...INHERITED }).map(([id, name]) =>
    changeCase(`CHG-440.${id}`, `captures tables and columns named ${name}`, (harness) => captureNamed(harness, name))),
  changeCase('CHG-441', 'captures tables and columns with names of 63 characters', (harness) => captureNamed(harness, LONG), ({ facts }) =>
    facts.maxNameLength >= LONG.length || `names end at ${facts.maxNameLength} characters`),
  changeCase('CHG-442', 'tables whose names begin alike are told apart', async (harness) => {
    const short = await harness.createTable(specNamed(LONG.slice(0, 40)))
    await using fixture = await captureOne(harness, specNamed(LONG.slice(0, 41)))
    await fixture.client.run(insert(short, [{ [short.spec.key[0] ?? '']: 1 }]))
    equal(await fixture.reader.drain(), [], 'changes of the table that is not captured')
  }),
]

function specNamed(name: string): ChangeTableSpec {
  return { name, columns: [{ name, kind: 'int' }, { name: `${name.slice(0, 60)} 2`, kind: 'int', nullable: true }], key: [name] }
}

async function captureNamed(harness: ChangeHarness, name: string): Promise<void> {
  const spec = specNamed(name)
  const other = spec.columns[1]?.name ?? ''
  await using fixture = await captureOne(harness, spec)
  const { client, connection, reader, table } = fixture
  await client.run(insert(table, [{ [name]: 1, [other]: 10 }]))
  const [inserted] = await reader.drain()
  equal([inserted?.op, inserted?.table], ['insert', name], 'change')
  checkKey(defined(inserted, 'an insert'), spec, { [name]: 1 })
  checkImage(inserted?.after ?? null, spec, { row: { [name]: 1, [other]: 10 }, what: 'after' })
  await client.run(update(table, { [name]: 1 }, { [other]: 20 }))
  const [changed] = await reader.drain()
  checkImage(changed?.after ?? null, spec, { row: { [name]: 1, [other]: 20 }, what: 'after of the update' })
  const chunk = await connection.readChunk?.({ table: table.ref.name, limit: AMPLE })
  if (chunk !== undefined) checkImage(chunk.events[0]?.after ?? null, spec, { row: { [name]: 1, [other]: 20 }, what: 'row of the chunk' })
  await client.run(remove(table, { [name]: 1 }))
  equal((await reader.drain()).map((event) => event.op), ['delete'], 'changes')
}
