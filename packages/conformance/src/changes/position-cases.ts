import type { ChangeConnection, LogPosition } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { failsWith, settle } from '../assert/fails-with.ts'
import { TidemarkError } from '@tidemark/core/adapter'
import type { CapturedTable } from '../harness/change-spec.ts'
import { changeCase, every, needsPurge, needsRereads, needsResume, type ChangeApplies, type ChangeCase } from './change-case.ts'
import { AMPLE, brief, capture, captureOne, insert, inTransaction, item, items, ITEMS, LogReader, ordered, remove, update, type ChangeFixture } from './change-fixture.ts'
import { purgeAll, retain } from './retaining.ts'

const REFUSED = ['CHANGE_GAP', 'CHECKPOINT_FOREIGN'] as const

const needsRestore: ChangeApplies = ({ facts }) => facts.restores || 'nothing can be restored here'
const needsReplacement: ChangeApplies = ({ facts }) => facts.replacesDatabase || 'the database can\'t be replaced here'

/** Where reading may go on, and where it must not. */
export const positionCases: readonly ChangeCase[] = [
  changeCase('CHG-601', 'reading goes on from every commit in a new connection with exactly the rest', async (harness) => {
    const fixture = await captureOne(harness, ITEMS)
    const { commits, changes } = await writeAndRead(fixture)
    await fixture[Symbol.asyncDispose]()
    for (const { position, read } of commits) {
      await using again = await capture(harness, [fixture.table])
      equal(brief(await new LogReader(again.connection, position).drain()), changes.slice(read), `changes after ${read}`)
    }
  }, needsResume),
  changeCase('CHG-602', 'changes made while nobody listens come later', async (harness) => {
    const fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, [item(1)]))
    await fixture.reader.drain()
    const { position } = fixture.reader
    await fixture[Symbol.asyncDispose]()
    await harness.client.run(insert(fixture.table, [item(2)]))
    await harness.client.run(update(fixture.table, { id: 1 }, { seen: 10 }))
    await harness.client.run(remove(fixture.table, { id: 2 }))
    await using again = await capture(harness, [fixture.table])
    equal(brief(await new LogReader(again.connection, position).drain()), ['insert 2', 'update 1', 'delete 2'], 'changes')
  }, needsResume),
  changeCase('CHG-603', 'two readers at different places do not disturb each other', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await using second = await capture(harness, [fixture.table])
    await fixture.client.run(insert(fixture.table, items(1, 6)))
    const { resumes } = fixture.source.capabilities
    const [early, late, other] = [fixture.reader, new LogReader(fixture.connection, fixture.start), new LogReader(second.connection, resumes ? fixture.start : second.start)]
    const limit = { ...AMPLE, events: 2 }
    await early.next(limit)
    await Promise.all([early.next(limit), late.next(limit), other.next(limit)])
    await Promise.all([early.drain(limit), late.drain(limit), other.drain(limit)])
    for (const reader of [early, late, other]) equal(brief(ordered(fixture, reader.events)), [1, 2, 3, 4, 5, 6].map((id) => `insert ${id}`), 'changes')
  }, needsRereads),
  changeCase('CHG-604', 'where positions end with the connection, one of another connection is refused', async (harness) => {
    const fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, [item(1)]))
    await fixture.reader.drain()
    await fixture[Symbol.asyncDispose]()
    await using again = await capture(harness, [fixture.table])
    await checkRefused(again.connection, fixture.start)
    await checkRefused(again.connection, fixture.reader.position)
  }, ({ capabilities }) => !capabilities.resumes || 'positions outlive the connection'),
  changeCase('CHG-605', 'a position of another log is refused', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, [item(1)]))
    await checkRefused(fixture.connection, otherEpoch(fixture.start))
    equal(brief(await fixture.reader.drain()), ['insert 1'], 'changes after the right one')
  }),
  changeCase('CHG-606', 'positions and ids are not used again when all of the log was purged', async (harness) => {
    const fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, items(1, 5)))
    await fixture.reader.drain()
    const { events, position } = fixture.reader
    await retain(fixture.connection, 'reader', position)
    await purgeAll(fixture.connection)
    await fixture[Symbol.asyncDispose]()
    await using again = await capture(harness, [fixture.table])
    check(again.start.sequence >= position.sequence, 'the head does not go back')
    await harness.client.run(insert(fixture.table, items(6, 8)))
    const reader = new LogReader(again.connection, position)
    equal(brief(ordered(again, await reader.drain())), ['insert 6', 'insert 7', 'insert 8'], 'changes')
    check(reader.position.sequence > position.sequence, 'the position is a new one')
    equal(new Set([...events, ...reader.events].map((event) => event.id)).size, 8, 'different ids')
    check(reader.events.every((event) => event.source.position > `${position.epoch}:${position.sequence}`), 'events lie behind all that was purged')
  }, every(needsResume, needsPurge)),
  changeCase('CHG-607', 'a position older than the purge is CHANGE_GAP; the one that is retained is not', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { commits } = await writeAndRead(fixture)
    const kept = defined(commits[2], 'a third commit')
    await retain(fixture.connection, 'reader', kept.position)
    await purgeAll(fixture.connection)
    for (const { position } of [{ position: fixture.start }, ...commits.slice(0, 2)]) await checkRefused(fixture.connection, position, ['CHANGE_GAP'])
    await fixture.connection.verify(kept.position)
  }, needsPurge),
  changeCase('CHG-608', 'a position ahead of a restored log is CHANGE_GAP', async (harness) => {
    const { table, beyond } = await restoreBefore(harness, async () => {})
    await using again = await capture(harness, [table])
    await checkRefused(again.connection, beyond, REFUSED)
  }, every(needsResume, needsRestore)),
  changeCase('CHG-609', 'a position that a restored log has reached again by other changes is CHANGE_GAP', async (harness) => {
    const { table, beyond } = await restoreBefore(harness, async (restored) => {
      // As many changes as were lost, and then more of them, of the same kinds.
      for (const id of [103, 104, 105, 106]) await harness.client.run(insert(restored, [item(id)]))
    })
    await using again = await capture(harness, [table])
    await checkRefused(again.connection, beyond, REFUSED)
  }, every(needsResume, needsRestore)),
  changeCase('CHG-610', 'a position from before the backup is refused, or goes on with what the restored database holds', async (harness) => {
    const { table, within } = await restoreBefore(harness, (restored) => harness.client.run(insert(restored, [item(103)])))
    await using again = await capture(harness, [table])
    const outcome = await settle(async () => brief(await new LogReader(again.connection, within).drain()))
    if ('error' in outcome) return void await failsWith(REFUSED, () => Promise.reject(outcome.error), 'reading')
    equal(outcome.value, ['insert 2', 'insert 103'], 'changes')
  }, every(needsResume, needsRestore)),
  changeCase('CHG-611', 'a position of a database that another one has replaced is refused', async (harness) => {
    const fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, items(1, 3)))
    await fixture.reader.drain()
    await fixture[Symbol.asyncDispose]()
    await defined(harness.replaceDatabase?.bind(harness), 'replaceDatabase, which the facts promise')()
    await using again = await captureOne(harness, ITEMS)
    await again.client.run(insert(again.table, items(1, 5)))
    await checkRefused(again.connection, fixture.reader.position, REFUSED)
    await checkRefused(again.connection, fixture.start, REFUSED)
  }, needsReplacement),
  changeCase('CHG-612', 'every commit that can be read from is verified', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { commits } = await writeAndRead(fixture)
    for (const { position } of commits) await fixture.connection.verify(position)
    await fixture.connection.verify(await fixture.connection.head())
  }, needsRereads),
  changeCase('CHG-613', 'the head is the last commit: from there on come the changes after it', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await inTransaction(fixture.client, () => fixture.client.run(insert(fixture.table, items(1, 3))))
    const head = await fixture.connection.head()
    check(head.epoch === fixture.start.epoch && head.sequence > fixture.start.sequence, 'the head moves on')
    await fixture.connection.verify(head)
    const reader = new LogReader(fixture.connection, head)
    equal(await reader.drain(), [], 'changes at the head')
    await fixture.client.run(insert(fixture.table, [item(4)]))
    equal(brief(await reader.drain()), ['insert 4'], 'changes after it')
  }),
]

interface Commit {
  readonly position: LogPosition
  /** How many changes lie before it. */
  readonly read: number
}

/** Five transactions, read after each, and where each of them ends. */
async function writeAndRead({ client, reader, start, table }: ChangeFixture & { readonly table: CapturedTable }): Promise<{ readonly commits: readonly Commit[]; readonly changes: readonly string[] }> {
  const commits: Commit[] = [{ position: start, read: 0 }]
  const read = async (): Promise<void> => {
    await reader.drain({ ...AMPLE, events: 2 })
    commits.push({ position: reader.position, read: reader.events.length })
  }
  await client.run(insert(table, [item(1)]))
  await read()
  await inTransaction(client, () => client.run(insert(table, items(2, 4))))
  await read()
  await client.run(update(table, { id: 2 }, { seen: 20 }))
  await read()
  await client.run(remove(table, { id: 3 }))
  await client.run(insert(table, [item(5)]))
  await read()
  return { commits, changes: brief(reader.events) }
}

/** verify() and readChanges() agree: one never lets pass what the other refuses. */
async function checkRefused(connection: ChangeConnection, position: LogPosition, codes: readonly ('CHANGE_GAP' | 'CHECKPOINT_FOREIGN')[] = REFUSED): Promise<void> {
  const verified = await failsWith(codes, () => connection.verify(position), 'verifying')
  const read = await failsWith(codes, () => connection.readChanges({ after: position, limit: AMPLE }), 'reading')
  check(read instanceof TidemarkError, 'the error is a TidemarkError')
  equal(read.code, verified.code, 'code of reading beside that of verifying')
}

/** The same place in a log that does not exist: an epoch that differs in its last character. */
function otherEpoch(position: LogPosition): LogPosition {
  const { epoch } = position
  return { ...position, epoch: `${epoch.slice(0, -1)}${epoch.endsWith('0') ? '1' : '0'}` }
}

/**
 * Two changes, a backup, two more changes, and the backup put back; then the work. `within` lies before the backup, `beyond` after it, where
 * the restored log does not reach.
 */
async function restoreBefore(
  harness: Parameters<ChangeCase['run']>[0], work: (table: CapturedTable) => Promise<void>,
): Promise<{ readonly table: CapturedTable; readonly within: LogPosition; readonly beyond: LogPosition }> {
  const fixture = await captureOne(harness, ITEMS)
  await fixture.client.run(insert(fixture.table, [item(1)]))
  await fixture.reader.drain()
  const within = fixture.reader.position
  await fixture.client.run(insert(fixture.table, [item(2)]))
  await fixture[Symbol.asyncDispose]()
  await defined(harness.backup?.bind(harness), 'backup, which the facts promise')()
  const later = await capture(harness, [fixture.table])
  const reader = new LogReader(later.connection, within)
  for (const id of [3, 4]) await harness.client.run(insert(fixture.table, [item(id)]))
  equal(brief(await reader.drain()), ['insert 2', 'insert 3', 'insert 4'], 'changes before the restore')
  await later[Symbol.asyncDispose]()
  await defined(harness.restore?.bind(harness), 'restore, which the facts promise')()
  await work(fixture.table)
  return { table: fixture.table, within, beyond: reader.position }
}
