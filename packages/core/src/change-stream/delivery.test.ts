import { describe, expect, it } from 'vitest'
import { decodeCheckpoint } from '../change/change-checkpoint.ts'
import { Inbox } from './test/inbox.ts'
import { makeRig } from './test/rig.ts'
import type { Write } from './test/scripted-log.ts'

function writes(count: number, from = 1): readonly Write[] {
  return Array.from({ length: count }, (_, index) => ({ table: 'users', id: from + index, value: `v${from + index}` }))
}

describe('delivery', () => {
  it('begins at the log\'s end, and saves and retains that at once, so that a restart goes on from there', async () => {
    const { log, store, stream, settle } = makeRig()
    log.commit(...writes(3))
    await settle(stream.subscribe({ id: 'indexer' }, () => undefined))
    const stored = await store.get('stream/default/db/indexer')
    expect(decodeCheckpoint(stored?.value ?? '').position).toEqual(log.head)
    expect(log.retained.get('default')).toEqual(log.head)
    await settle(stream.stop())
  })

  it('gives a transaction that is larger than a batch in parts, with a checkpoint at its end only', async () => {
    const { log, stream, settle } = makeRig({ batch: { events: 4 } })
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'a' }, inbox.handler))
    log.commit(...writes(10))
    log.commit(...writes(1, 11))
    await settle(inbox.count(11))
    expect(inbox.batches.map(({ events, begin, commit, checkpoint }) => [events.length, begin, commit, checkpoint !== null])).toEqual([
      [4, true, false, false], [4, false, false, false], [2, false, true, true], [1, true, true, true],
    ])
    await settle(stream.stop())
  })

  it('flags the first and the last part that a filter leaves, even when the last has nothing', async () => {
    const { log, stream, settle } = makeRig({ batch: { events: 2 } })
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'a', tables: ['users'] }, inbox.handler))
    const order = (id: number): Write => ({ table: 'orders', id, value: 'x' })
    log.commit(order(1), order(2), ...writes(2), order(3), order(4))
    await settle(inbox.until(() => inbox.batches.at(-1)?.commit === true))
    expect(inbox.batches.map(({ events, begin, commit }) => [events.length, begin, commit])).toEqual([[2, true, false], [0, false, true]])
    await settle(stream.stop())
  })

  it('filters by table and op, and shares what it filtered', async () => {
    const { log, stream, settle } = makeRig()
    const inboxes = [new Inbox(), new Inbox(), new Inbox()] as const
    await settle(stream.subscribe({ id: 'a', tables: ['users'], ops: ['delete'] }, inboxes[0].handler))
    await settle(stream.subscribe({ id: 'b', tables: ['main.users'] }, inboxes[1].handler))
    await settle(stream.subscribe({ id: 'c', tables: ['users'] }, inboxes[2].handler))
    log.commit({ table: 'users', id: 1, value: 'a' }, { table: 'orders', id: 1, value: 'x' })
    log.commit({ table: 'users', id: 1, value: null })
    await settle(Promise.all([inboxes[0].count(1), inboxes[1].count(2), inboxes[2].count(2)]))
    expect(inboxes.map(({ log }) => log)).toEqual([['users:1-'], ['users:1=a', 'users:1-'], ['users:1=a', 'users:1-']])
    expect(inboxes[1].batches[0]?.events).toBe(inboxes[2].batches[0]?.events)
    await settle(stream.stop())
  })

  it('passes a slice on by reference where nothing is filtered', async () => {
    const { log, stream, settle } = makeRig()
    const [a, b] = [new Inbox(), new Inbox()]
    await settle(stream.subscribe({ id: 'a' }, a.handler))
    await settle(stream.subscribe({ id: 'b', durable: false }, b.handler))
    log.commit(...writes(2))
    await settle(Promise.all([a.count(2), b.count(2)]))
    expect(a.batches[0]?.events).toBe(b.batches[0]?.events)
    await settle(stream.stop())
  })

  it('gives a slow handler what has been read meanwhile as one batch, up to the limit and up to a change of columns', async () => {
    for (const rereads of [true, false]) {
      const { log, store, stream, settle } = makeRig({ log: { rereads }, batch: { events: 8 } })
      const inbox = new Inbox()
      let release: () => void = () => undefined
      const gate = new Promise<void>((resolve) => { release = resolve })
      await settle(stream.subscribe({ id: 'a', tables: ['users', 'orders'] }, async (batch) => {
        await gate
        inbox.handler(batch)
      }))
      // Has the log read as it grows, so that each transaction is a slice of its own.
      const live = new Inbox()
      await settle(stream.subscribe({ id: 'live', durable: false }, live.handler))
      for (let id = 1; id <= 20; id += 1) {
        if (id === 15) log.addTable('notes')
        log.commit(...writes(1, id))
        await settle(live.count(id))
      }
      log.commit({ table: 'notes', id: 1, value: 'n' })
      await settle(live.count(21))
      release()
      await settle(inbox.count(20))
      expect(inbox.batches.map(({ events }) => events.length)).toEqual([1, 8, 5, 6])
      expect(inbox.batches.every(({ begin, commit }) => begin && commit)).toBe(true)
      expect(inbox.log).toEqual(writes(20).map(({ id, value }) => `users:${id}=${String(value)}`))
      await settle(stream.stop())
      expect(decodeCheckpoint((await store.get('stream/default/db/a'))?.value ?? '').position).toEqual(log.head)
    }
  })

  it('counts nothing as acknowledged that is still on its way to the handler', async () => {
    const { log, stream, settle } = makeRig()
    await settle(stream.subscribe({ id: 'a' }, () => new Promise(() => undefined)))
    const [before] = await stream.listSources()
    log.commit(...writes(1))
    const looks: ReturnType<typeof stream.listSources>[] = []
    // Whatever turn a save falls into: the steps between the log and the handler are taken one by one.
    for (let turn = 0; turn < 100; turn += 1) {
      looks.push(stream.listSources())
      await Promise.resolve()
    }
    const positions = (await Promise.all(looks)).map(([source]) => source?.subscribers[0]?.position)
    expect(new Set(positions)).toEqual(new Set([before?.subscribers[0]?.position]))
    await settle(stream.stop())
  })

  it('keeps no position within a transaction, also where a filter passes its beginning over', async () => {
    const { log, runtime, store, stream, settle } = makeRig({ batch: { events: 2 } })
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'a', tables: ['users'] }, (batch) => {
      inbox.handler(batch)
      return new Promise(() => undefined)
    }))
    const stored = await store.get('stream/default/db/a')
    log.commit(...[1, 2, 3, 4].map((id): Write => ({ table: 'orders', id, value: 'x' })), ...writes(2))
    await settle(inbox.count(2))
    await runtime.advance(5_000)
    expect(await store.get('stream/default/db/a')).toEqual(stored)
    await settle(stream.stop())
  })

  it('moves the checkpoint of a subscriber for whom nothing comes', async () => {
    const { log, runtime, store, stream, settle } = makeRig()
    await settle(stream.subscribe({ id: 'a', tables: ['orders'] }, () => { throw new Error('nothing was to come') }))
    log.commit(...writes(5))
    await runtime.advance(3_000)
    expect(decodeCheckpoint((await store.get('stream/default/db/a'))?.value ?? '').position).toEqual(log.head)
    expect(log.retained.get('default')).toEqual(log.head)
    expect(log.purgedThrough).toBe(5)
    await settle(stream.stop())
  })

  it('never retains more than what the slowest has saved, also of those that are away', async () => {
    const { log, runtime, stream, settle } = makeRig()
    await settle(stream.subscribe({ id: 'slow' }, () => new Promise(() => undefined)))
    await settle(stream.stop())
    const start = log.head
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'fast' }, inbox.handler))
    log.commit(...writes(3))
    await settle(inbox.count(3))
    await runtime.advance(5_000)
    expect(log.retained.get('default')).toEqual(start)
    const [source] = await stream.listSources()
    expect(source?.subscribers.map(({ id, state, lag }) => [id, state, lag?.events])).toEqual([['fast', 'streaming', 0], ['slow', 'away', 3]])
    await settle(stream.stop())
  })

  it('retains what the last subscriber had when it leaves, before the next turn of the clock would', async () => {
    const { log, stream, settle } = makeRig()
    const inbox = new Inbox()
    const last = await settle(stream.subscribe({ id: 'last' }, inbox.handler))
    const start = log.head
    log.commit(...writes(3))
    await settle(inbox.count(3))
    expect(log.retained.get('default')).toEqual(start)
    await settle(last.unsubscribe())
    expect(log.retained.get('default')).toEqual(log.head)
    await settle(stream.stop())
  })

  it('retains nothing while a subscriber is on its way that may need more', async () => {
    const { log, stream, settle } = makeRig({ checkpoints: undefined as never })
    const inbox = new Inbox()
    const first = await settle(stream.subscribe({ id: 'new', from: null }, inbox.handler))
    log.commit(...writes(2))
    await settle(inbox.count(2))
    log.commit(...writes(1, 3))
    await settle(inbox.count(3))
    await settle(first.unsubscribe())
    await settle(stream.stop())
    const [older, newer] = [inbox.batches[0]?.checkpoint, inbox.batches[1]?.checkpoint]
    const retained: unknown[] = []
    log.retained.set = (name, position) => {
      retained.push(position)
      return Map.prototype.set.call(log.retained, name, position) as typeof log.retained
    }
    log.fail('verify', 'SOURCE_BUSY') // the older one's: it comes second
    await settle(Promise.all([stream.subscribe({ id: 'old', from: older }, () => new Promise(() => undefined)), stream.subscribe({ id: 'new', from: newer }, () => undefined)]))
    expect(retained[0]).toEqual(decodeCheckpoint(older ?? '').position)
    await settle(stream.stop())
  })

  it('lets go of the log when a subscriber is forgotten', async () => {
    const { log, runtime, store, stream, settle } = makeRig()
    const away = await settle(stream.subscribe({ id: 'away' }, () => undefined))
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'here' }, inbox.handler))
    await settle(away.unsubscribe({ forget: true }))
    log.commit(...writes(3))
    await settle(inbox.count(3))
    await runtime.advance(2_000)
    expect(log.retained.get('default')).toEqual(log.head)
    expect(await store.list('stream/')).toEqual(['stream/default/db/here'])
    await settle(stream.stop())
  })

  it('goes on from a checkpoint that the consumer keeps, without a store', async () => {
    const { log, stream, settle } = makeRig({ checkpoints: undefined as never })
    const inbox = new Inbox()
    const first = await settle(stream.subscribe({ id: 'own', from: null }, inbox.handler))
    log.commit(...writes(2))
    await settle(inbox.count(2))
    log.commit(...writes(1, 3))
    await settle(inbox.count(3))
    await settle(first.unsubscribe())
    const again = new Inbox()
    await settle(stream.subscribe({ id: 'own', from: inbox.batches[1]?.checkpoint }, again.handler))
    await settle(again.count(1))
    expect(again.log).toEqual(['users:3=v3'])
    await settle(stream.stop())
  })

  it('tells of a table\'s columns before the first change that has them', async () => {
    const { log, seen, stream, settle } = makeRig()
    const [all, users] = [new Inbox(), new Inbox()]
    await settle(stream.subscribe({ id: 'all' }, all.handler))
    await settle(stream.subscribe({ id: 'users', tables: ['users'] }, users.handler))
    log.addTable('notes')
    log.commit({ table: 'notes', id: 1, value: 'n' }, ...writes(1))
    await settle(Promise.all([all.count(2), users.count(1)]))
    expect(all.batches[0]?.schemas).toMatchObject([{ table: 'notes', key: ['id'] }])
    expect(users.batches[0]?.schemas).toEqual([])
    expect(seen.schema).toMatchObject([{ type: 'schema', table: 'notes', source: 'db' }])
    await settle(stream.stop())
  })

  it('tells listeners of each change once the source is open', async () => {
    const { log, stream, settle } = makeRig()
    const ids: string[] = []
    const unsubscribe = stream.on('change', (event) => ids.push(event.id))
    await settle(stream.start())
    log.commit(...writes(2))
    await settle(Promise.resolve())
    unsubscribe()
    log.commit(...writes(1, 3))
    await settle(Promise.resolve())
    expect(ids).toEqual(['db:e1:1', 'db:e1:2'])
    await settle(stream.stop())
  })

  it('polls once for each interval when nothing happens, and does nothing else', async () => {
    const { log, runtime, stream, settle } = makeRig({ log: { pollIntervalMs: 500 } })
    await settle(stream.subscribe({ id: 'a' }, () => undefined))
    await settle(stream.subscribe({ id: 'b' }, () => undefined))
    await runtime.advance(2_000)
    const before = { ...log.calls }
    await runtime.advance(10_000)
    expect({ ...log.calls, readChanges: log.calls.readChanges - before.readChanges }).toEqual({ ...before, readChanges: 20 })
    await settle(stream.stop())
  })

  it('keeps two sources apart: one that fails leaves the other alone', async () => {
    const one = makeRig({ log: { name: 'one' } })
    const two = makeRig({ log: { name: 'two' } })
    const { stream, settle } = makeRig({ source: undefined, sources: [one.log.source, two.log.source] })
    const [a, b] = [new Inbox(), new Inbox()]
    const first = await settle(stream.subscribe({ id: 'a', source: 'one' }, a.handler))
    await settle(stream.subscribe({ id: 'b', source: 'two' }, b.handler))
    one.log.fail('readChanges', 'SOURCE_FAILED')
    one.log.commit(...writes(1))
    await expect(settle(first.done)).rejects.toMatchObject({ code: 'SOURCE_FAILED' })
    two.log.commit(...writes(1))
    await settle(b.count(1))
    expect((await stream.listSources()).map(({ name, state }) => [name, state])).toEqual([['one', 'failed'], ['two', 'running']])
    await settle(stream.subscribe({ id: 'a', source: 'one' }, a.handler))
    await settle(a.count(1))
    expect(a.log).toEqual(['users:1=v1'])
    await settle(stream.stop())
  })
})
