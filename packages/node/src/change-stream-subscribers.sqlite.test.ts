import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { ChangeStream, type ChangeBatch } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { describe, expect, it } from 'vitest'
import { sqliteChanges } from './sqlite-changes.ts'
import { Follower, STREAM_SOURCES, StreamSubject, type StreamSubjectOptions } from './test/stream-subject.ts'
import { useFolder } from './test/use-folder.ts'

// The second half of the names: snapshots, subscribers that come late or do not keep up, ends and restarts.

const path = useFolder()
const T = 'CREATE TABLE t (id INTEGER PRIMARY KEY, a)'
const series = (first: number, last: number, value = 'i'): string =>
  `INSERT INTO t WITH RECURSIVE n (i) AS (SELECT ${first} UNION ALL SELECT i + 1 FROM n WHERE i < ${last}) SELECT i, ${value} FROM n`
const idsOf = (follower: Follower, op: string): readonly unknown[] => follower.events.filter((event) => event.table === 't' && event.op === op).map(({ key }) => key?.['id'])
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1)

describe.each(STREAM_SOURCES)('subscribers of %s', (kind) => {
  const open = (options: Partial<StreamSubjectOptions> = {}): StreamSubject => new StreamSubject({ kind, path: path('data.db'), sql: T, tables: ['t'], ...options })

  it('SnapshotBootstrap', async () => {
    await using subject = open({ snapshot: 'initial' })
    subject.write(`${series(1, 5)}; DELETE FROM t WHERE id = 3`)
    const follower = await subject.settled(await subject.follow())
    expect(idsOf(follower, 'snapshot')).toEqual([1, 2, 4, 5])
    expect(follower.changes).toHaveLength(4)
  })

  it('LateSubscriberGetsSnapshotThenLive (3.3, 11)', async () => {
    await using subject = open({ batch: { events: 3 } })
    const first = await subject.follow({ id: 'first' })
    subject.write(series(1, 10))
    await subject.settled(first)
    const late = await subject.follow({ id: 'late', snapshot: 'initial' })
    subject.write(`${series(11, 12)}; UPDATE t SET a = 'new' WHERE id = 2`)
    await subject.settled(late)
    await subject.settled(first)
    expect([...late.rows.keys()].toSorted((a, b) => Number(a) - Number(b))).toEqual(upTo(12))
    expect(late.rows.get(2)).toEqual({ id: 2, a: 'new' })
    // A row is either in the snapshot or, when it was inserted behind it, an insert: never both.
    expect([...idsOf(late, 'snapshot'), ...idsOf(late, 'insert')].toSorted((a, b) => Number(a) - Number(b))).toEqual(upTo(12))
    expect(idsOf(first, 'snapshot')).toEqual([])
    expect(idsOf(first, 'insert')).toHaveLength(12)
  })

  it('OpFilteredSubscriberStillGetsSnapshot', async () => {
    await using subject = open({ snapshot: 'initial' })
    subject.write(series(1, 3))
    const follower = await subject.follow({ ops: ['delete'] })
    await follower.until(() => idsOf(follower, 'snapshot').length === 3)
    subject.write(`${series(4, 4)}; DELETE FROM t WHERE id = 1`)
    await follower.until(() => idsOf(follower, 'delete').length === 1)
    expect(follower.changes.map(([op]) => op)).toEqual(['snapshot', 'snapshot', 'snapshot', 'delete'])
  })

  it('SnapshotLiveTextType', async () => {
    await using subject = open({ snapshot: 'initial' })
    const values = `(1, '1'), (2, 'text'), (3, ''), (4, x'31'), (5, 1), (6, 1.0), (7, NULL), (8, 'x' || char(0))`
    subject.write(`INSERT INTO t VALUES ${values}`)
    const follower = await subject.settled(await subject.follow())
    subject.write('DELETE FROM t')
    await subject.settled(follower)
    subject.write(`INSERT INTO t VALUES ${values}`)
    await subject.settled(follower)
    const of = (op: string): readonly unknown[] => follower.events.filter((event) => event.table === 't' && event.op === op).map(({ after }) => after).toSorted((a, b) => Number(a?.['id']) - Number(b?.['id']))
    expect(of('insert')).toHaveLength(8)
    expect(of('snapshot')).toEqual(of('insert'))
  })

  it('SnapshotFencesLiveWrites', async () => {
    await using subject = open({ snapshot: 'initial', batch: { events: 2 } })
    subject.write(series(1, 8, `'old'`))
    const follower = new Follower()
    let writes = 0
    // Each chunk is answered with writes before it, in it, behind it and of a row that was not there.
    follower.onBatch = ({ events }: ChangeBatch) => {
      if (events[0]?.op !== 'snapshot' || events[0].table !== 't' || writes === 3) return
      writes += 1
      subject.write(`UPDATE t SET a = 'new${writes}' WHERE id IN (1, 4, 8); DELETE FROM t WHERE id = ${4 + writes}; INSERT INTO t VALUES (${20 + writes}, 'inserted')`)
    }
    follower.subscription = await subject.stream.subscribe({ id: 'follower' }, (batch) => follower.take(batch))
    await follower.until(() => writes === 3)
    await subject.settled(follower)
    const truth = subject.database.prepare('SELECT * FROM t ORDER BY id').all().map((row) => ({ ...row }))
    expect([...follower.rows.values()].toSorted((a, b) => Number(a['id']) - Number(b['id'])).map((row) => ({ ...row }))).toEqual(truth)
  })

  it('SnapshotFlushesBeforeByteBudget', async () => {
    await using subject = open({ snapshot: 'initial', batch: { bytes: 10_000 } })
    subject.write(series(1, 40, 'zeroblob(3000)'))
    const follower = await subject.settled(await subject.follow())
    const chunks = follower.batches.filter(({ events }) => events[0]?.op === 'snapshot' && events[0].table === 't')
    expect(idsOf(follower, 'snapshot')).toEqual(upTo(40))
    // The row that reaches the budget is still in.
    for (const { events } of chunks) expect(events.length).toBeLessThanOrEqual(4)
  })

  it('RestartKeepsCheckpoint', async () => {
    await using subject = open({ snapshot: 'initial' })
    subject.write(series(1, 2))
    const first = await subject.settled(await subject.follow())
    await subject.stream.stop()
    // Sessions keep nothing while nobody reads, and say so.
    if (kind === 'triggers') subject.write(series(3, 4))
    const second = await subject.settled(await subject.follow())
    expect(idsOf(second, 'snapshot')).toEqual([])
    expect(idsOf(second, 'insert')).toEqual(kind === 'triggers' ? [3, 4] : [])
    const positions = [...first.events, ...second.events].map(({ source }) => source.position)
    expect(positions).toEqual(positions.toSorted())
  })

  it('OverflowFaultsWithoutStallingWriter, and SubscribeAfterFaultGetsTerminalError', async () => {
    await using subject = open()
    const batches = subject.stream.live({ maxBufferedEvents: 10, graceMs: 0 })
    await batches.ready()
    for (let id = 1; id <= 300; id += 1) subject.write(`INSERT INTO t VALUES (${id}, ${id})`)
    const keepsUp = await subject.settled(await subject.follow({ durable: false }))
    expect(subject.database.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 300 })
    const lagged = { code: 'SUBSCRIBER_LAGGED', detail: expect.any(String) as string }
    await expect(batches.next()).rejects.toMatchObject(lagged)
    // Over is over; the others go on, and so does a new one.
    expect(await batches.next()).toEqual({ done: true, value: undefined })
    await subject.settled(keepsUp)
    await subject.settled(await subject.follow({ id: 'new' }))
  })

  it('LaggardDoesNotStallWrites (3.3, 9): a live one is closed', async () => {
    await using subject = open({ buffer: { bytes: 1 }, batch: { events: 1 } })
    const live = await subject.stream.subscribe({ id: 'live', durable: false, maxBufferedEvents: 1, graceMs: 0 }, () => new Promise<never>(() => undefined))
    for (let id = 1; id <= 500; id += 1) subject.write(`INSERT INTO t VALUES (${id}, ${id})`)
    expect(subject.database.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 500 })
    await expect(live.done).rejects.toMatchObject({ code: 'SUBSCRIBER_LAGGED' })
  })

  it('LaggardDoesNotStallWrites (3.3, 9): a durable one gets all of them in the end', async () => {
    await using subject = open({ buffer: { bytes: 1 }, batch: { events: 1 } })
    let release = (): void => undefined
    const stalled = new Promise<void>((resolve) => { release = resolve })
    const durable = new Follower()
    durable.onBatch = () => stalled
    durable.subscription = await subject.stream.subscribe({ id: 'durable' }, (batch) => durable.take(batch))
    for (let id = 1; id <= 500; id += 1) subject.write(`INSERT INTO t VALUES (${id}, ${id})`)
    expect(subject.database.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 500 })
    release()
    await subject.settled(durable)
    expect(idsOf(durable, 'insert')).toEqual(upTo(500))
  })

  it('RelayHandlesManyStreamsWithoutBlockingCommit', async () => {
    await using subject = open()
    const followers = await Promise.all(Array.from({ length: 256 }, (_, index) => subject.follow({ id: `f${index}`, durable: index % 2 === 0 })))
    for (let id = 1; id <= 20; id += 1) subject.write(`INSERT INTO t VALUES (${id}, ${id})`)
    expect(subject.database.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 20 })
    for (const follower of followers) await follower.until(() => idsOf(follower, 'insert').length === 20)
    for (const follower of followers) expect(idsOf(follower, 'insert')).toEqual(upTo(20))
    // One event for all of them, not a copy for each.
    expect(new Set(followers.map(({ events }) => events[0])).size).toBe(1)
  })

  it('StopCleansUpWithExpiredContext', async () => {
    await using subject = open({ stopGraceMs: 1 })
    await expect(subject.follow({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    let hasBegun = (): void => undefined
    const begun = new Promise<void>((resolve) => { hasBegun = resolve })
    const hanging = await subject.stream.subscribe({ id: 'hanging' }, () => {
      hasBegun()
      return new Promise<never>(() => undefined)
    })
    subject.write(series(1, 1))
    await begun
    await subject.stream.stop()
    expect(hanging.status()).toBe('stopped')
    expect((await subject.stream.listSources())[0]).toMatchObject({ state: 'stopped' })
    // Nothing is held any more: neither the lease nor the place in the log.
    const again = await subject.settled(await subject.follow({ id: 'hanging' }))
    expect(idsOf(again, 'insert')).toEqual(kind === 'triggers' ? [1] : idsOf(again, 'insert'))
  })

  it('SecondSourceRefused (3.3, 12): two sources of one name in one stream', () => {
    const source = new StreamSubject({ kind, path: path('data.db'), sql: T, tables: ['t'] })
    expect(() => new ChangeStream({ sources: [source.source, source.source] })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error)
    source.database.close()
  })
})

describe('subscribers of a trigger log', () => {
  const open = (options: Partial<StreamSubjectOptions> = {}): StreamSubject => new StreamSubject({ kind: 'triggers', path: path('data.db'), sql: T, tables: ['t'], ...options })

  it('SecondSourceRefused (3.3, 12): a second stream of the same name on the same log', async () => {
    await using subject = open()
    const first = await subject.follow()
    await using second = new ChangeStream({ source: sqliteChanges({ path: path('data.db') }, { tables: ['t'] }), checkpoints: memoryStateStore() })
    await expect(second.subscribe({ id: 'second' }, () => undefined)).rejects.toMatchObject({ code: 'LEASE_HELD', retryable: true })
    await using other = new ChangeStream({ name: 'other', source: sqliteChanges({ path: path('data.db') }, { tables: ['t'] }), checkpoints: memoryStateStore() })
    const follower = new Follower()
    follower.subscription = await other.subscribe({ id: 'second' }, (batch) => follower.take(batch))
    subject.write(series(1, 3))
    await subject.settled(first)
    await follower.until(() => idsOf(follower, 'insert').length === 3)
    expect(idsOf(first, 'insert')).toEqual([1, 2, 3])
  })

  it('SnapshotHandoffIncludesInFlightWriterAsLive', async () => {
    await using subject = open({ snapshot: 'initial' })
    subject.write(series(1, 3))
    using writer = new DatabaseSync(path('data.db'))
    // The log and its triggers are there, as for any writer that is in the middle of something.
    await subject.stream.start()
    writer.exec('BEGIN IMMEDIATE; INSERT INTO t VALUES (10, 0); UPDATE t SET a = \'late\' WHERE id = 1')
    const follower = new Follower()
    const batches = subject.stream.live({ snapshot: 'initial', tables: ['t'] })
    const chunk = await batches.next()
    await follower.take(chunk.value as ChangeBatch) // it goes on
    expect(idsOf(follower, 'snapshot')).toEqual([1, 2, 3])
    writer.exec('COMMIT')
    await follower.take((await batches.next()).value as ChangeBatch) // it goes on
    expect(follower.changes.slice(3)).toEqual([['insert', null, { id: 10, a: 0n }], ['update', { id: 1, a: 1n }, { id: 1, a: 'late' }]])
    await batches.return()
  })

  it('never use a position twice, also after a restart (3.3, 8)', async () => {
    await using subject = open()
    const seen: string[] = []
    for (let run = 0; run < 3; run += 1) {
      const follower = await subject.follow()
      subject.write(series(run * 2 + 1, run * 2 + 2))
      await subject.settled(follower)
      seen.push(...follower.events.map(({ source }) => source.position))
      await subject.stream.stop()
    }
    expect(seen).toEqual([...new Set(seen)].toSorted())
  })

  it('go on after the connections to the database were lost (ObserverRebindsAfterConnectionExpiry)', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write(series(1, 1))
    await subject.settled(follower)
    await subject.stream.stop()
    rmSync(path('data.db-shm'), { force: true })
    subject.write(series(2, 2))
    const again = await subject.settled(await subject.follow())
    expect(idsOf(again, 'insert')).toEqual([2])
  })
})
