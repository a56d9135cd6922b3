import { describe, expect, it } from 'vitest'
import { decodeCheckpoint } from '../change/change-checkpoint.ts'
import type { ChangeBatch } from '../change/change-batch.ts'
import { printPosition } from '../change/log-position.ts'
import { Inbox } from './test/inbox.ts'
import { makeRig, type Rig } from './test/rig.ts'

function fill({ log }: Rig, users: number, orders = 0): void {
  for (let id = 1; id <= users; id += 1) log.commit({ table: 'users', id, value: `u${id}` })
  for (let id = 1; id <= orders; id += 1) log.commit({ table: 'orders', id, value: `o${id}` })
}

const rowsOf = ({ log }: Rig): ReadonlyMap<string, string> =>
  new Map([...log.rows].flatMap(([table, rows]) => [...rows].map(([id, value]) => [`${table}:${id}`, value] as const)).sort())

const sorted = (rows: ReadonlyMap<string, string>): ReadonlyMap<string, string> => new Map([...rows].sort())

for (const rereads of [true, false]) {
  describe(`a snapshot (log read ${rereads ? 'by many' : 'once'})`, () => {
    it('joins the log without a gap while rows change under it', async () => {
      const rig = makeRig({ snapshot: 'initial', batch: { events: 5 }, log: { rereads } })
      const { log, stream, settle } = rig
      fill(rig, 40, 10)
      const inbox = new Inbox()
      const completed = new Promise<void>((resolve) => void stream.on('snapshot', ({ phase }) => phase === 'completed' && resolve()))
      let turn = 0
      await settle(stream.subscribe({ id: 'a' }, (batch: ChangeBatch) => {
        inbox.handler(batch)
        turn += 1
        // In what was read, in what is to come, and in the table that has not begun.
        if (turn < 10) log.commit({ table: 'users', id: turn, value: `n${turn}` }, { table: 'users', id: 41 - turn, value: null }, { table: 'users', id: 100 + turn, value: 'x' }, { table: 'orders', id: turn, value: `p${turn}` })
      }))
      await settle(completed)
      log.commit({ table: 'users', id: 1, value: 'end' })
      await settle(inbox.until(() => inbox.log.at(-1) === 'users:1=end'))
      expect(sorted(inbox.rows)).toEqual(rowsOf(rig))
      await settle(stream.stop())
    })

    it('does not give changes of a table before its first rows', async () => {
      const rig = makeRig({ snapshot: 'initial', batch: { events: 5 }, log: { rereads } })
      const { log, stream, settle } = rig
      fill(rig, 3, 12)
      const inbox = new Inbox()
      await settle(stream.subscribe({ id: 'a' }, (batch: ChangeBatch) => {
        inbox.handler(batch)
        if (inbox.batches.length < 4) log.commit({ table: 'users', id: inbox.batches.length, value: 'changed' })
      }))
      await settle(inbox.until(() => inbox.log.some((line) => line === 'users:3=changed*')))
      expect(inbox.log.filter((line) => line.startsWith('users'))).toEqual(['users:1=changed*', 'users:2=changed*', 'users:3=changed*'])
      await settle(stream.stop())
    })
  })
}

describe('a snapshot', () => {
  it('is taken up again after a restart where it stopped, and is not repeated when it is complete', async () => {
    const rig = makeRig({ snapshot: 'initial', batch: { events: 10 } })
    const { log, store, stream, settle } = rig
    fill(rig, 100)
    const first = new Inbox()
    const subscription = await settle(stream.subscribe({ id: 'a' }, (batch: ChangeBatch) => {
      first.handler(batch)
      // The fourth chunk is never acknowledged.
      return first.events.length === 40 ? new Promise(() => undefined) : undefined
    }))
    await settle(first.count(40))
    await settle(subscription.unsubscribe())
    expect(decodeCheckpoint((await store.get('stream/default/db/a'))?.value ?? '').snapshot).toEqual({ done: ['orders'], current: { table: 'users', after: '30' } })
    const second = new Inbox()
    const again = await settle(stream.subscribe({ id: 'a' }, second.handler))
    await settle(second.count(70))
    expect(second.log[0]).toBe('users:31=u31*')
    await settle(again.unsubscribe())
    const third = new Inbox()
    await settle(stream.subscribe({ id: 'a' }, third.handler))
    log.commit({ table: 'users', id: 1, value: 'z' })
    await settle(third.count(1))
    expect(third.log).toEqual(['users:1=z'])
    await settle(stream.stop())
  })

  it('shows that a row is gone which was delivered, forgotten in a crash, and deleted before it was read again', async () => {
    const rig = makeRig({ snapshot: 'initial' })
    const { log, stream, settle } = rig
    fill(rig, 3)
    const inbox = new Inbox()
    const subscription = await settle(stream.subscribe({ id: 'a' }, (batch: ChangeBatch) => {
      inbox.handler(batch)
      return new Promise(() => undefined)
    }))
    await settle(inbox.count(3))
    await settle(subscription.unsubscribe())
    log.commit({ table: 'users', id: 2, value: null })
    await settle(stream.subscribe({ id: 'a' }, inbox.handler))
    await settle(inbox.count(6))
    expect(inbox.log.slice(3)).toEqual(['users:2-', 'users:1=u1*', 'users:3=u3*'])
    expect(sorted(inbox.rows)).toEqual(rowsOf(rig))
    await settle(stream.stop())
  })

  it('shows the same of a row that came as a change of a table that had been empty', async () => {
    const rig = makeRig({ snapshot: 'initial' })
    const { log, stream, settle } = rig
    const inbox = new Inbox()
    const completed = new Promise<void>((resolve) => void stream.on('snapshot', ({ phase }) => phase === 'completed' && resolve()))
    const subscription = await settle(stream.subscribe({ id: 'a' }, (batch: ChangeBatch) => {
      inbox.handler(batch)
      return new Promise(() => undefined)
    }))
    await settle(completed)
    log.commit({ table: 'users', id: 1, value: 'a' })
    await settle(inbox.count(1))
    await settle(subscription.unsubscribe())
    log.commit({ table: 'users', id: 1, value: null })
    await settle(stream.subscribe({ id: 'a' }, inbox.handler))
    await settle(inbox.count(3))
    expect(inbox.log).toEqual(['users:1=a', 'users:1=a', 'users:1-'])
    await settle(stream.stop())
  })

  it('gives a subscriber that keeps its own checkpoints the beginning of a table, and the end, as a batch without events', async () => {
    const rig = makeRig({ snapshot: 'initial' })
    fill(rig, 3)
    const inbox = new Inbox()
    await rig.settle(rig.stream.subscribe({ id: 'a', from: null }, inbox.handler))
    await rig.settle(inbox.until(() => inbox.batches.length === 4))
    expect(inbox.batches.map(({ events, begin, commit }) => [events.length, begin, commit])).toEqual([[0, true, true], [0, true, true], [3, true, true], [0, true, true]])
    expect(inbox.batches.map(({ checkpoint }) => decodeCheckpoint(checkpoint ?? '').snapshot)).toEqual([
      { done: [], current: { table: 'orders', after: null } }, { done: ['orders'], current: { table: 'users', after: null } }, { done: ['orders', 'users'], current: null }, null,
    ])
    await rig.settle(rig.stream.stop())
  })

  it('is not lost where the log is read again from before it, for another subscriber', async () => {
    const rig = makeRig({ log: { rereads: false, bytesPerEvent: 100 }, buffer: { bytes: 500 }, batch: { events: 2 } })
    const { log, runtime, seen, stream, settle } = rig
    await settle(stream.subscribe({ id: 'old' }, () => undefined))
    await settle(stream.stop())
    fill(rig, 5)
    const [old, late] = [new Inbox(), new Inbox()]
    log.fail('readChunk', 'SOURCE_BUSY', 4)
    await settle(stream.subscribe({ id: 'late', snapshot: 'initial', tables: ['users'] }, late.handler))
    await settle(stream.subscribe({ id: 'old' }, old.handler))
    for (let id = 1; id <= 30; id += 1) {
      log.commit({ table: 'users', id, value: `n${id}` })
      await runtime.advance(1)
    }
    await settle(Promise.all([old.count(35), late.until(() => late.log.at(-1)?.startsWith('users:30') === true)]))
    expect(sorted(late.rows)).toEqual(rowsOf(rig))
    expect(sorted(old.rows)).toEqual(rowsOf(rig))
    expect(seen.gap).toEqual([])
    await settle(stream.stop())
  })

  it('stands where its rows are while the log goes on without a change: a source can then read on under the snapshot that it has', async () => {
    const rig = makeRig({ log: { rereads: false }, batch: { events: 2 } })
    const { log, runtime, stream, settle } = rig
    fill(rig, 6)
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'a', snapshot: 'initial', tables: ['users'] }, async (batch) => {
      inbox.handler(batch)
      log.pass()
      await runtime.sleep(5_000)
    }))
    await settle(inbox.count(6))
    const chunks = inbox.batches.map(({ events }) => events[0]?.source.position)
    expect(chunks.length).toBeGreaterThan(2)
    // No chunk has to be newer than the one before it.
    chunks.slice(0, -1).forEach((through, index) => expect(printPosition(log.reached[index + 1] ?? log.head)).toBe(through))
    log.commit({ table: 'users', id: 1, value: 'end' })
    await settle(inbox.until(() => inbox.log.at(-1) === 'users:1=end'))
    await settle(stream.stop())
  })

  it('comes to a late subscriber, to a live one and through an ops filter, each its own tables', async () => {
    const rig = makeRig()
    const { log, seen, stream, settle } = rig
    fill(rig, 10, 10)
    const [plain, late] = [new Inbox(), new Inbox()]
    await settle(stream.subscribe({ id: 'plain' }, plain.handler))
    await settle(stream.subscribe({ id: 'late', snapshot: 'initial', tables: ['users'], ops: ['delete'] }, late.handler))
    await settle(late.count(10))
    const live = stream.live({ id: 'live', snapshot: 'initial', tables: ['orders'] })
    const { value } = await settle(live.next())
    expect((value as ChangeBatch).events.map(({ op, table }) => [op, table])).toEqual(Array.from({ length: 10 }, () => ['snapshot', 'orders']))
    log.commit({ table: 'users', id: 1, value: 'no' })
    log.commit({ table: 'users', id: 1, value: null })
    await settle(late.count(11))
    expect(late.log.at(-1)).toBe('users:1-')
    await settle(plain.count(2))
    expect(plain.log).toEqual(['users:1=no', 'users:1-'])
    expect(seen.snapshot.filter(({ subscriber }) => subscriber === 'late').map(({ phase, table, rows }) => [phase, table, rows])).toEqual([
      ['started', undefined, 0], ['table-completed', 'users', 10], ['completed', undefined, 10],
    ])
    await settle(live.return().then(() => stream.stop()))
  })

  it('has the rows of a table that was made while it went on', async () => {
    const rig = makeRig({ snapshot: 'initial', batch: { events: 5 } })
    const { log, stream, settle } = rig
    fill(rig, 20)
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'a' }, (batch: ChangeBatch) => {
      inbox.handler(batch)
      if (inbox.batches.length !== 3) return
      log.addTable('aaa')
      log.commit({ table: 'aaa', id: 1, value: 'new' })
    }))
    await settle(inbox.until(() => inbox.log.includes('aaa:1=new*') || inbox.log.includes('aaa:1=new')))
    expect(sorted(inbox.rows)).toEqual(rowsOf(rig))
    await settle(stream.stop())
  })

  it('of a table that is added later comes when its subscriber begins again, while the changes of the others go on', async () => {
    const rig = makeRig({ snapshot: 'initial', batch: { events: 5 } })
    const { log, stream, settle } = rig
    fill(rig, 3, 12)
    const first = new Inbox()
    const subscription = await settle(stream.subscribe({ id: 'a', tables: ['users'] }, first.handler))
    await settle(first.count(3))
    log.commit({ table: 'users', id: 1, value: 'seen' })
    await settle(first.count(4))
    await settle(subscription.unsubscribe())
    log.commit({ table: 'users', id: 2, value: 'away' }, { table: 'orders', id: 1, value: 'away' })
    const second = new Inbox()
    const again = await settle(stream.subscribe({ id: 'a' }, (batch: ChangeBatch) => {
      second.handler(batch)
      if (second.batches.length === 2) log.commit({ table: 'users', id: 3, value: 'meanwhile' }, { table: 'orders', id: 12, value: 'meanwhile' })
    }))
    await settle(second.until(() => second.log.includes('users:3=meanwhile') && second.log.some((line) => line.startsWith('orders:12=meanwhile'))))
    expect(second.log.filter((line) => line.startsWith('users'))).toEqual(['users:2=away', 'users:3=meanwhile'])
    expect(sorted(new Map([...first.rows, ...second.rows]))).toEqual(rowsOf(rig))
    await settle(again.unsubscribe())
    const third = new Inbox()
    await settle(stream.subscribe({ id: 'a' }, third.handler))
    log.commit({ table: 'orders', id: 2, value: 'z' })
    await settle(third.count(1))
    expect(third.log).toEqual(['orders:2=z'])
    await settle(stream.stop())
  })

  it('comes again of a table that was left out for a while, whose changes nobody was told of', async () => {
    const rig = makeRig({ snapshot: 'initial' })
    const { log, stream, settle } = rig
    fill(rig, 2, 2)
    const inbox = new Inbox()
    const rounds = [{}, { tables: ['users'], snapshot: 'none' }, {}] as const
    for (const [round, options] of rounds.entries()) {
      const subscription = await settle(stream.subscribe({ id: 'a', ...options }, inbox.handler))
      if (round !== 1) await settle(inbox.until(() => inbox.log.filter((line) => line.startsWith('orders')).length >= 2 + round))
      log.commit({ table: 'orders', id: 1, value: `round ${round}` }, { table: 'users', id: 1, value: `round ${round}` })
      await settle(inbox.until(() => inbox.log.includes(`users:1=round ${round}`)))
      await settle(subscription.unsubscribe())
    }
    expect(sorted(inbox.rows)).toEqual(rowsOf(rig))
    expect(inbox.log).toContain('orders:1=round 1*')
    await settle(stream.stop())
  })

  it('of an added table is for whoever asked for snapshots, then and now', async () => {
    for (const [before, now] of [['none', 'initial'], ['initial', 'none']] as const) {
      const rig = makeRig()
      const { log, stream, settle } = rig
      fill(rig, 1, 1)
      const inbox = new Inbox()
      const subscription = await settle(stream.subscribe({ id: 'a', tables: ['users'], snapshot: before }, inbox.handler))
      log.commit({ table: 'users', id: 1, value: 'seen' })
      await settle(inbox.until(() => inbox.log.includes('users:1=seen')))
      await settle(subscription.unsubscribe())
      const later = new Inbox()
      await settle(stream.subscribe({ id: 'a', snapshot: now }, later.handler))
      log.commit({ table: 'orders', id: 1, value: 'z' })
      await settle(later.count(1))
      expect(later.log).toEqual(['orders:1=z'])
      await settle(stream.stop())
    }
  })

  it('goes on without a table that is dropped under it', async () => {
    const rig = makeRig({ snapshot: 'initial', batch: { events: 5 } })
    const { log, stream, settle } = rig
    fill(rig, 20, 20)
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'a' }, (batch: ChangeBatch) => {
      inbox.handler(batch)
      if (inbox.batches.length === 1) log.dropTable('orders')
    }))
    await settle(inbox.until(() => inbox.log.includes('users:20=u20*')))
    expect(inbox.log.filter((line) => line.startsWith('orders')).length).toBe(5)
    await settle(stream.stop())
  })

  it('asks for larger chunks of narrow rows, and for smaller ones of wide rows', async () => {
    const rig = makeRig({ snapshot: 'initial', log: { bytesPerEvent: 10_000 } })
    fill(rig, 1_000)
    const inbox = new Inbox()
    await rig.settle(rig.stream.subscribe({ id: 'a' }, inbox.handler))
    await rig.settle(inbox.count(1_000))
    expect(Math.max(...inbox.batches.slice(1).map(({ events }) => events.length))).toBe(104)
    await rig.settle(rig.stream.stop())
  })

  it('goes on through errors of the source', async () => {
    const rig = makeRig({ snapshot: 'initial', batch: { events: 5 } })
    fill(rig, 50)
    rig.log.fail('readChunk', 'SOURCE_BUSY', 3)
    const inbox = new Inbox()
    await rig.settle(rig.stream.subscribe({ id: 'a' }, inbox.handler))
    await rig.settle(inbox.count(50))
    expect(inbox.rows.size).toBe(50)
    await rig.settle(rig.stream.stop())
  })
})
