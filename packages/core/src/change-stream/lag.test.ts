import { describe, expect, it } from 'vitest'
import type { ChangeBatch } from '../change/change-batch.ts'
import { LagWatch } from './lag-watch.ts'
import { Inbox } from './test/inbox.ts'
import { makeRig, type Rig } from './test/rig.ts'

const commitMany = ({ log }: Rig, count: number): void => {
  for (let index = 0; index < count; index += 1) log.commit({ table: 'users', id: index % 7, value: `v${log.allEvents.length}` })
}

describe('the rule for laggards', () => {
  const watch = () => new LagWatch({ bytes: 100, events: 10, graceMs: 1_000 })
  const at = (bytes: number) => ({ bytes, events: 0 })

  it('closes after the grace without a gain', () => {
    const lag = watch()
    expect([lag.observe(at(200), 0), lag.observe(at(200), 999), lag.observe(at(300), 1_000)]).toEqual([false, false, true])
  })

  it('begins anew after a gain, however small, and after it was within its budget', () => {
    const lag = watch()
    const seen = [[200, 0], [900, 10], [899, 1_000], [899, 1_999], [899, 2_000]] as const
    expect(seen.map(([bytes, ms]) => lag.observe(at(bytes), ms))).toEqual([false, false, false, false, true])
    const other = watch()
    expect([other.observe(at(200), 0), other.observe(at(100), 500), other.observe(at(500), 1_000), other.observe(at(500), 1_999)]).toEqual([false, false, false, false])
  })

  it('looks at events too', () => {
    const lag = watch()
    expect([lag.observe({ bytes: 0, events: 11 }, 0), lag.observe({ bytes: 0, events: 11 }, 1_000)]).toEqual([false, true])
  })
})

describe('a live subscriber', () => {
  for (const rereads of [true, false]) {
    it(`that takes nothing is closed after its grace and can go on from its checkpoint (read ${rereads ? 'by many' : 'once'})`, async () => {
      const rig = makeRig({ log: { rereads }, batch: { events: 5 } })
      const { log, runtime, seen, stream, settle } = rig
      const batches = stream.live({ id: 'stuck', maxBufferedEvents: 20, graceMs: 10_000 })
      await settle(batches.ready())
      commitMany(rig, 5)
      const first: IteratorResult<ChangeBatch> = await settle(batches.next())
      commitMany(rig, 50)
      await runtime.advance(9_000)
      expect(seen.lag).toEqual([])
      await runtime.advance(3_000)
      expect(seen.lag).toMatchObject([{ source: 'db', subscriber: 'stuck', bufferedEvents: 50, action: 'close' }])
      const error: unknown = await settle(batches.next().catch((caught: unknown) => caught))
      expect(error).toMatchObject({ code: 'SUBSCRIBER_LAGGED', detail: first.done === true ? '' : first.value.checkpoint })
      await expect(settle(batches.next())).resolves.toMatchObject({ done: true })
      if (!rereads) return settle(stream.stop())
      const again = stream.live({ from: (error as { detail: string }).detail })
      const ids: string[] = []
      while (ids.length < 50) ids.push(...((await settle(again.next())).value as ChangeBatch).events.map(({ id }) => id))
      expect(ids).toEqual(log.allEvents.slice(5).map(({ id }) => id))
      await settle(again.return().then(() => stream.stop()))
    })
  }

  it('that gains is left in peace', async () => {
    const rig = makeRig({ batch: { events: 5 }, buffer: { bytes: 2_000 } })
    const { runtime, seen, stream, settle } = rig
    const batches = stream.live({ maxBufferedEvents: 5, graceMs: 2_000 })
    await settle(batches.ready())
    commitMany(rig, 100)
    let count = 0
    while (count < 100) {
      count += ((await settle(batches.next())).value as ChangeBatch).events.length
      await runtime.advance(1_000)
    }
    expect(seen.lag).toEqual([])
    await settle(batches.return().then(() => stream.stop()))
  })

  it('that is handled by a function is closed all the same', async () => {
    const rig = makeRig()
    const { runtime, stream, settle } = rig
    const subscription = await settle(stream.subscribe({ id: 'a', durable: false, maxBufferedEvents: 5, graceMs: 1_000 }, () => new Promise(() => undefined)))
    commitMany(rig, 1)
    await runtime.advance(10)
    commitMany(rig, 20)
    await runtime.advance(5_000)
    await expect(settle(subscription.done)).rejects.toMatchObject({ code: 'SUBSCRIBER_LAGGED' })
    await settle(stream.stop())
  })

  it('is closed at once where its changes are dropped and can\'t be read again', async () => {
    const rig = makeRig({ log: { rereads: false, bytesPerEvent: 100 }, batch: { events: 5 }, buffer: { bytes: 1_000 } })
    const { seen, stream, settle } = rig
    const stuck = stream.live({ id: 'stuck' })
    await settle(stuck.ready())
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'durable' }, inbox.handler))
    commitMany(rig, 40)
    await settle(inbox.count(40))
    expect(seen.lag).toMatchObject([{ subscriber: 'stuck', action: 'close' }])
    await expect(settle(stuck.next())).rejects.toMatchObject({ code: 'SUBSCRIBER_LAGGED' })
    await settle(stream.stop())
  })

  it('ends with its signal, and with the stream', async () => {
    const { stream, settle, log, runtime } = makeRig()
    const controller = new AbortController()
    const batches = stream.live({ signal: controller.signal })
    const next = batches.next()
    await runtime.advance(10)
    controller.abort()
    await expect(settle(next)).resolves.toMatchObject({ done: true })
    const other = stream.live()
    const last = other.next()
    await runtime.advance(10)
    await settle(stream.stop())
    await expect(last).resolves.toMatchObject({ done: true })
    expect([runtime.pending, log.listeners.size, log.open]).toEqual([0, 0, 0])
  })
})

describe('a durable subscriber', () => {
  it('pauses reading where the log is read once, and loses nothing', async () => {
    const rig = makeRig({ log: { rereads: false, bytesPerEvent: 100 }, batch: { events: 5 }, buffer: { bytes: 1_000 } })
    const { log, runtime, seen, stream, settle } = rig
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => { release = resolve })
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'slow' }, async (batch) => {
      await gate
      inbox.handler(batch)
    }))
    commitMany(rig, 200)
    await runtime.advance(5_000)
    const reads = log.calls.readChanges
    await runtime.advance(5_000)
    expect(log.calls.readChanges).toBe(reads)
    expect(seen.lag).toMatchObject([{ subscriber: 'slow', action: 'pause' }])
    release()
    await settle(inbox.count(200))
    expect(inbox.events.map(({ id }) => id)).toEqual(log.allEvents.map(({ id }) => id))
    await settle(stream.stop())
  })

  it('that is alone and slow does not have the log read ahead of it', async () => {
    const rig = makeRig({ batch: { events: 5 } })
    const { log, runtime, stream, settle } = rig
    await settle(stream.subscribe({ id: 'slow' }, () => new Promise(() => undefined)))
    commitMany(rig, 500)
    await runtime.advance(10_000)
    expect(log.calls.readChanges).toBeLessThan(5)
    await settle(stream.stop())
  })

  it('has one slice read ahead of it where the log is read once, whatever is pending', async () => {
    const rig = makeRig({ log: { rereads: false }, batch: { events: 5, bytes: 500 } })
    const { log, runtime, stream, settle } = rig
    const inbox = new Inbox()
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => { release = resolve })
    await settle(stream.subscribe({ id: 'slow' }, async (batch) => {
      await gate
      inbox.handler(batch)
    }))
    commitMany(rig, 500)
    await runtime.advance(10_000)
    // The handler's own slice, one more, and the looks at a log without changes before.
    expect(log.calls.readChanges).toBeLessThan(8)
    release()
    await settle(inbox.count(500))
    expect(inbox.events.map(({ id }) => id)).toEqual(log.allEvents.map(({ id }) => id))
    await settle(stream.stop())
  })
})

it('256 subscribers get each slice filtered once for all who ask the same', async () => {
  const rig = makeRig()
  const { stream, settle } = rig
  const inboxes = Array.from({ length: 256 }, () => new Inbox())
  for (const [index, inbox] of inboxes.entries()) await settle(stream.subscribe({ id: `s${index}`, durable: index % 2 === 0, tables: ['users'] }, inbox.handler))
  rig.log.commit({ table: 'orders', id: 1, value: 'x' }, { table: 'users', id: 1, value: 'y' })
  await settle(Promise.all(inboxes.map((inbox) => inbox.count(1))))
  expect(new Set(inboxes.map((inbox) => inbox.batches[0]?.events)).size).toBe(1)
  await settle(stream.stop())
})
