import { describe, expect, it } from 'vitest'
import { Inbox } from './test/inbox.ts'
import { makeRig } from './test/rig.ts'
import type { Write } from './test/scripted-log.ts'

function writes(count: number, from = 1): readonly Write[] {
  return Array.from({ length: count }, (_, index) => ({ table: 'users', id: from + index, value: `v${from + index}` }))
}

/** An empty one counts nothing, so its coming is asked for by itself. */
function firstBatch(inbox: Inbox): Promise<void> {
  return inbox.until(() => inbox.batches.length > 0)
}

describe('a subscriber that keeps its own checkpoint', () => {
  it('is told its place first: nothing is missed that changes before it has stored another', async () => {
    const { log, stream, settle } = makeRig({ checkpoints: undefined as never })
    const first = new Inbox()
    const subscription = await settle(stream.subscribe({ id: 'own', from: null }, first.handler))
    await settle(firstBatch(first))
    expect(first.batches).toMatchObject([{ events: [], begin: true, commit: true, checkpoint: expect.any(String) }])
    await settle(subscription.unsubscribe())
    log.commit(...writes(2))
    const again = new Inbox()
    await settle(stream.subscribe({ id: 'own', from: first.batches[0]?.checkpoint }, again.handler))
    await settle(again.count(2))
    expect(again.log).toEqual(['users:1=v1', 'users:2=v2'])
    expect(again.batches.every(({ events }) => events.length > 0)).toBe(true)
    await settle(stream.stop())
  })
})

describe('startAt', () => {
  it('is where a subscriber without a checkpoint begins, and only such a one', async () => {
    const { log, stream, settle } = makeRig()
    const place = new Inbox()
    const placing = await settle(stream.subscribe({ id: 'place', from: null }, place.handler))
    await settle(firstBatch(place))
    await settle(placing.unsubscribe())
    const startAt = place.batches[0]?.checkpoint ?? ''
    log.commit(...writes(2))
    const first = new Inbox()
    const subscription = await settle(stream.subscribe({ id: 'a', startAt }, first.handler))
    await settle(first.count(2))
    await settle(subscription.unsubscribe())
    log.commit(...writes(1, 3))
    const again = new Inbox()
    await settle(stream.subscribe({ id: 'a', startAt }, again.handler))
    await settle(again.count(1))
    expect([first.log, again.log]).toEqual([['users:1=v1', 'users:2=v2'], ['users:3=v3']])
    await settle(stream.stop())
  })

  it('that is no checkpoint is refused', async () => {
    const { stream, settle } = makeRig()
    await expect(settle(stream.subscribe({ id: 'a', startAt: 'nonsense' }, () => undefined))).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
  })
})
