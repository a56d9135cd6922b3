import { equal } from '../assert/equal.ts'
import { settle } from '../assert/fails-with.ts'
import { check } from '../assert/check.ts'
import type { CapturedTable, ChangeStatement, ChangeTableSpec } from '../harness/change-spec.ts'
import type { RowRecord } from '../harness/table-spec.ts'
import { changeCase, every, type ChangeApplies, type ChangeCase } from './change-case.ts'
import { capture, captureOne, insert, inTransaction, type ChangeFixture } from './change-fixture.ts'
import { Replica } from './replica.ts'

/** Two unique keys besides the primary one. */
export const USERS: ChangeTableSpec = {
  name: 'users',
  columns: [
    { name: 'id', kind: 'int' }, { name: 'email', kind: 'text' }, { name: 'handle', kind: 'int', nullable: true }, { name: 'seen', kind: 'int', nullable: true },
  ],
  key: ['id'],
  indexes: [{ columns: ['email'], unique: true }, { columns: ['handle'], unique: true }],
}

export function user(id: number, email: string, handle: number | null = id): RowRecord {
  return { id, email, handle, seen: null }
}

const insertsReplace: ChangeApplies = ({ facts }) => facts.replaces.includes('insert') || 'no insert of the engine replaces'
const updatesReplace: ChangeApplies = ({ facts }) => facts.replaces.includes('update') || 'no update of the engine replaces'

const START = [user(1, 'a'), user(2, 'b'), user(3, 'c', null), user(4, 'd'), user(5, 'e', null)]

/** Rows that are pushed out of the way: none of them may stay in a copy. */
export const replaceCases: readonly ChangeCase[] = [
  changeCase('CHG-430', 'an insert that replaces the row of its own key leaves one row', async (harness) => {
    await using fixture = await captureOne(harness, USERS, START)
    await checkReplaced(fixture, [replace(fixture.table, [user(1, 'aa', 10)]), replace(fixture.table, [user(3, 'c', null)])])
  }, insertsReplace),
  changeCase('CHG-431', 'an insert that replaces a row by another unique key deletes that row', async (harness) => {
    await using fixture = await captureOne(harness, USERS, START)
    const events = await checkReplaced(fixture, [replace(fixture.table, [user(9, 'b', 9)])])
    equal(events, ['delete 2', 'insert 9'], 'changes')
  }, insertsReplace),
  changeCase('CHG-432', 'an insert that replaces several rows by several keys deletes the others', async (harness) => {
    await using fixture = await captureOne(harness, USERS, START)
    await checkReplaced(fixture, [replace(fixture.table, [user(1, 'b', 4)]), replace(fixture.table, [user(6, 'c', null)])])
  }, insertsReplace),
  changeCase('CHG-433', 'rows of one insert that replace each other end as the last one says', async (harness) => {
    await using fixture = await captureOne(harness, USERS, START)
    await checkReplaced(fixture, [replace(fixture.table, [user(7, 'x', 7), user(8, 'x', 8), user(9, 'y', 8), user(7, 'y', 7)])])
  }, insertsReplace),
  changeCase('CHG-434', 'replacing that is undone is never seen', async (harness) => {
    await using fixture = await captureOne(harness, USERS, START)
    const { client, reader, table } = fixture
    await inTransaction(client, async () => {
      await client.savepoint('a')
      await client.run(replace(table, [user(1, 'b', 4)]))
      await client.rollbackTo('a')
    })
    await client.begin()
    await client.run(replace(table, [user(9, 'b', 4)]))
    await client.rollback()
    equal(await reader.drain(), [], 'changes')
  }, insertsReplace),
  changeCase('CHG-435', 'an update that replaces rows deletes those that it pushes out', async (harness) => {
    await using fixture = await captureOne(harness, USERS, START)
    const { table } = fixture
    await checkReplaced(fixture, [
      { kind: 'update', table, where: { id: 1 }, set: { email: 'b' }, orReplace: true },
      { kind: 'update', table, where: { id: 3 }, set: { id: 4 }, orReplace: true },
      { kind: 'update', table, where: { id: 5 }, set: { id: 1, email: 'c', handle: null }, orReplace: true },
    ])
  }, updatesReplace),
  changeCase('CHG-436', 'an update that replaces rows which it would itself have changed ends with those that are left', async (harness) => {
    await using fixture = await captureOne(harness, USERS, START)
    await checkReplaced(fixture, [{ kind: 'update', table: fixture.table, where: {}, set: { handle: 7 }, orReplace: true }])
  }, updatesReplace),
  changeCase('CHG-437', 'what a replaced row takes with it is told too', async (harness) => {
    const users = await harness.createTable(USERS)
    const posts = await harness.createTable({
      name: 'posts', columns: [{ name: 'id', kind: 'int' }, { name: 'author', kind: 'int', nullable: true }], key: ['id'],
      parent: { columns: ['author'], table: 'users', key: ['id'], onDelete: 'cascade' },
    })
    await harness.client.run(insert(users, START))
    await harness.client.run(insert(posts, [{ id: 1, author: 1 }, { id: 2, author: 2 }, { id: 3, author: 4 }]))
    await using fixture = await capture(harness, [users, posts])
    const replica = await Replica.copyOf(harness, [users, posts])
    await harness.client.run(replace(users, [user(1, 'b', 10)]))
    replica.applyAll(await fixture.reader.drain())
    await replica.checkAgainst(harness, [users, posts])
  }, every(insertsReplace, ({ facts }) => facts.cascades || 'the log does not show what foreign keys do')),
  changeCase('CHG-438', 'an insert that ignores rows in its way, or fails at them, deletes none', async (harness) => {
    await using fixture = await captureOne(harness, USERS, START)
    const { client, reader, table } = fixture
    await client.run({ kind: 'insert', table, rows: [user(9, 'b', 9), user(10, 'j', 10)], onConflict: 'ignore' })
    check('error' in await settle(() => client.run(insert(table, [user(11, 'k', 11), user(12, 'b', 12)]))), 'the database refuses the second row')
    const events = await reader.drain()
    equal(events.map((event) => `${event.op} ${String(event.key?.['id'])}`), ['insert 10'], 'changes')
  }),
]

function replace(table: CapturedTable, rows: readonly RowRecord[]): ChangeStatement {
  return { kind: 'insert', table, rows, onConflict: 'replace' }
}

/**
 * Runs the statements and holds a replica to end like the table. Where every change is told, a unique key must hold after each of them: a
 * copy that has the same indexes could not apply them otherwise.
 */
async function checkReplaced({ harness, client, reader, source }: ChangeFixture, statements: readonly [ChangeStatement, ...ChangeStatement[]]): Promise<readonly string[]> {
  const { table } = statements[0]
  const replica = await Replica.copyOf(harness, [table])
  for (const statement of statements) await client.run(statement)
  const events = await reader.drain()
  for (const event of events) {
    replica.apply(event)
    if (source.capabilities.changes === 'every') for (const { columns } of USERS.indexes ?? []) replica.checkUnique(table, columns)
  }
  await replica.checkAgainst(harness, [table])
  return events.map((event) => `${event.op} ${String(event.key?.['id'])}`)
}
