import { describe, expect, it } from 'vitest'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { memoryStateStore } from '../state/memory-state-store.ts'
import { Inbox } from './test/inbox.ts'
import { makeRig } from './test/rig.ts'

const ROW = { table: 'users', id: 1, value: 'v' }

describe('the lease of a stream name', () => {
  it('keeps a second process out, and lets it in once the first has stopped; live subscribers need none', async () => {
    const first = makeRig({ instance: 'one' })
    const second = makeRig({ instance: 'two', log: first.log, runtime: first.runtime, checkpoints: first.store })
    const { settle } = first
    await settle(first.stream.subscribe({ id: 'a' }, () => undefined))
    await expect(settle(second.stream.subscribe({ id: 'b' }, () => undefined))).rejects.toMatchObject({ code: 'LEASE_HELD' })
    await settle(second.stream.subscribe({ id: 'live', durable: false }, () => undefined))
    await expect(settle(second.stream.destroy())).rejects.toMatchObject({ code: 'LEASE_HELD' })
    await settle(first.stream.stop())
    await settle(second.stream.subscribe({ id: 'b' }, () => undefined))
    await settle(second.stream.stop())
  })

  it('is renewed for as long as it is needed', async () => {
    const { log, runtime, stream, settle } = makeRig({ leaseTtlMs: 3_000 })
    const subscription = await settle(stream.subscribe({ id: 'a' }, () => undefined))
    await runtime.advance(60_000)
    await expect(log.leases.acquireLease({ lease: 'stream/default', holder: 'other', nowMs: runtime.now(), ttlMs: 1 })).resolves.toBeUndefined()
    await settle(subscription.unsubscribe())
    expect(log.leases.isHeld('stream/default')).toBe(false)
    await settle(stream.stop())
  })

  it('once lost ends the durable subscribers, which save nothing any more', async () => {
    const { log, runtime, store, stream, settle } = makeRig()
    const subscription = await settle(stream.subscribe({ id: 'a' }, () => undefined))
    const live = new Inbox()
    await settle(stream.subscribe({ id: 'b', durable: false }, live.handler))
    const retained = log.retained.get('default')
    log.leases.steal('stream/default')
    await runtime.advance(10_000)
    await expect(settle(subscription.done)).rejects.toMatchObject({ code: 'LEASE_LOST' })
    const stored = await store.get('stream/default/db/a')
    log.commit(ROW)
    await settle(live.count(1))
    await runtime.advance(5_000)
    expect(await store.get('stream/default/db/a')).toEqual(stored)
    expect(log.retained.get('default')).toEqual(retained)
    await settle(stream.stop())
  })
})

describe('the checkpoint', () => {
  it('that another process has moved ends the subscriber', async () => {
    const { log, store, stream, settle } = makeRig()
    const subscription = await settle(stream.subscribe({ id: 'a' }, () => undefined))
    const stored = await store.get('stream/default/db/a')
    await store.set('stream/default/db/a', stored?.value ?? '', stored?.version)
    log.commit(ROW)
    await expect(settle(subscription.done)).rejects.toMatchObject({ code: 'STATE_CONFLICT' })
    await settle(stream.stop())
  })

  it('is saved again when the store was away, also when it had been saved unseen', async () => {
    const store = memoryStateStore()
    let failures = 0
    const flaky: typeof store = {
      ...store,
      set: async (key, value, expected) => {
        failures += 1
        if (failures % 3 === 1) throw new TidemarkError('TARGET_UNREACHABLE', 'Away.')
        const version = await store.set(key, value, expected)
        if (failures % 3 === 2) throw new TidemarkError('TARGET_UNREACHABLE', 'The answer was lost.')
        return version
      },
    }
    const { log, stream, settle } = makeRig({ checkpoints: flaky })
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'a' }, inbox.handler))
    for (let id = 1; id <= 5; id += 1) {
      log.commit({ ...ROW, id })
      await settle(inbox.count(id))
    }
    await settle(stream.stop())
    expect((await stream.listSources())[0]?.state).toBe('stopped')
    expect(failures).toBeGreaterThan(5)
  })

  it('names stand for themselves: none reaches into another\'s', async () => {
    const { log, store, stream, settle } = makeRig({ name: 'a/b' })
    await settle(stream.subscribe({ id: '../x' }, () => undefined))
    expect(await store.list('')).toEqual(['stream/a%2Fb/db/..%2Fx'])
    await settle(stream.destroy())
    expect([await store.list(''), log.retained.size, log.open]).toEqual([[], 0, 0])
  })
})

it('destroy() leaves what other streams keep', async () => {
  const { log, store, stream, runtime, settle } = makeRig({ name: 'one' })
  const other = makeRig({ name: 'two', log, runtime, checkpoints: store })
  await settle(stream.subscribe({ id: 'a' }, () => undefined))
  await settle(other.stream.subscribe({ id: 'a' }, () => undefined))
  await settle(stream.destroy())
  expect(await store.list('')).toEqual(['stream/two/db/a'])
  expect([...log.retained.keys()]).toEqual(['two'])
  await settle(other.stream.stop())
})
