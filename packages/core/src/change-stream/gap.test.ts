import { describe, expect, it } from 'vitest'
import { encodeCheckpoint } from '../change/change-checkpoint.ts'
import { Inbox } from './test/inbox.ts'
import { makeRig } from './test/rig.ts'
import type { ScriptedLog } from './test/scripted-log.ts'

const commitMany = (log: ScriptedLog, count: number): void => {
  for (let id = 1; id <= count; id += 1) log.commit({ table: 'users', id, value: `v${id}-${log.allEvents.length}` })
}

describe('a gap', () => {
  it('found at the checkpoint refuses the subscriber, says so, and leaves the checkpoint as it is', async () => {
    const { log, seen, store, stream, settle } = makeRig()
    await settle(stream.subscribe({ id: 'a' }, () => undefined))
    await settle(stream.stop())
    const stored = await store.get('stream/default/db/a')
    commitMany(log, 5)
    log.purgeThrough(3)
    await expect(settle(stream.subscribe({ id: 'a' }, () => undefined))).rejects.toMatchObject({ code: 'CHANGE_GAP' })
    expect(seen.gap).toMatchObject([{ source: 'db', subscriber: 'a', action: 'fail', error: { code: 'CHANGE_GAP' } }])
    expect(await store.get('stream/default/db/a')).toEqual(stored)
    expect(log.leases.isHeld('stream/default')).toBe(false)
    await settle(stream.stop())
  })

  it('found at the checkpoint gives a new snapshot where that is asked for', async () => {
    const { log, seen, stream, settle } = makeRig({ onGap: 'resnapshot' })
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'a' }, inbox.handler))
    await settle(stream.stop())
    commitMany(log, 5)
    log.purgeThrough(3)
    await settle(stream.subscribe({ id: 'a' }, inbox.handler))
    await settle(inbox.count(5))
    expect(inbox.log.every((line) => line.endsWith('*'))).toBe(true)
    expect(seen.gap).toMatchObject([{ action: 'resnapshot' }])
    commitMany(log, 1)
    await settle(inbox.count(6))
    expect([...inbox.rows]).toEqual([...log.rows.get('users') ?? []].map(([id, value]) => [`users:${id}`, value]))
    await settle(stream.stop())
  })

  for (const rereads of [true, false]) {
    it(`in the log read ${rereads ? 'by many' : 'once'} ends those who wait at its end, or begins them anew`, async () => {
      for (const onGap of ['fail', 'resnapshot'] as const) {
        const { log, seen, stream, settle } = makeRig({ onGap, log: { rereads } })
        const inbox = new Inbox()
        commitMany(log, 2)
        const subscription = await settle(stream.subscribe({ id: 'a' }, inbox.handler))
        log.commit({ table: 'orders', id: 1, value: 'o' })
        await settle(inbox.count(1))
        log.epoch = 'e2' // the file was replaced under us
        log.commit({ table: 'orders', id: 2, value: 'p' })
        if (onGap === 'fail') {
          await expect(settle(subscription.done)).rejects.toMatchObject({ code: 'CHANGE_GAP' })
        } else {
          await settle(inbox.count(5))
          log.commit({ table: 'orders', id: 3, value: 'q' })
          await settle(inbox.count(6))
          expect(inbox.log.slice(1)).toEqual(['orders:1=o*', 'orders:2=p*', 'users:1=v1-0*', 'users:2=v2-1*', 'orders:3=q'])
        }
        expect(seen.gap).toMatchObject([{ subscriber: 'a', action: onGap }])
        const late = new Inbox()
        await settle(stream.subscribe({ id: 'late' }, late.handler))
        log.commit({ table: 'orders', id: 4, value: 'r' })
        await settle(late.count(1))
        expect(late.log).toEqual(['orders:4=r'])
        await settle(stream.stop())
      }
    })
  }

  it('behind a slow subscriber is its alone', async () => {
    const { log, stream, settle } = makeRig({ log: { bytesPerEvent: 100 }, buffer: { bytes: 300 }, batch: { events: 2 } })
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => { release = resolve })
    const slow = await settle(stream.subscribe({ id: 'slow', durable: false }, () => gate))
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'fast' }, inbox.handler))
    commitMany(log, 20)
    await settle(inbox.count(20))
    log.purgeThrough(18)
    release()
    await expect(settle(slow.done)).rejects.toMatchObject({ code: 'CHANGE_GAP' })
    log.commit({ table: 'users', id: 1, value: 'z' })
    await settle(inbox.count(21))
    await settle(stream.stop())
  })

  for (const rereads of [true, false]) {
    it(`that the log read ${rereads ? 'by many' : 'once'} comes to is also that of a subscriber who began behind its beginning`, async () => {
      const { log, runtime, stream, settle } = makeRig({ log: { rereads } })
      const old = await settle(stream.subscribe({ id: 'old' }, () => undefined))
      log.fail('readChanges', 'SOURCE_BUSY', 20)
      commitMany(log, 5)
      await runtime.advance(100)
      const inbox = new Inbox()
      const late = await settle(stream.subscribe({ id: 'late' }, inbox.handler))
      const outcome = late.done.then(() => 'done', (error: { readonly code: string }) => error.code)
      commitMany(log, 3) // of these it has to have all, or to be told
      log.purgeThrough(rereads ? 5 : 7)
      log.heal()
      await expect(settle(old.done)).rejects.toMatchObject({ code: 'CHANGE_GAP' })
      log.commit({ table: 'users', id: 9, value: 'z' })
      if (rereads) {
        await settle(inbox.count(4))
        expect(inbox.events.map(({ id }) => id)).toEqual([6, 7, 8, 9].map((at) => `db:e1:${at}`))
      } else expect(await settle(outcome)).toBe('CHANGE_GAP')
      await settle(stream.stop())
    })
  }

  it('where the log is set back under its readers ends all of them: places have lost their order', async () => {
    for (const onGap of ['fail', 'resnapshot'] as const) {
      const { log, stream, settle } = makeRig({ onGap, log: { rereads: false } })
      const inbox = new Inbox()
      const subscription = await settle(stream.subscribe({ id: 'a' }, inbox.handler))
      commitMany(log, 5)
      await settle(inbox.count(5))
      log.setBack(3)
      await expect(settle(subscription.done)).rejects.toMatchObject({ code: 'CHANGE_GAP' })
      expect(await stream.source('db')).toMatchObject({ state: 'failed', lastError: { code: 'CHANGE_GAP' } })
      // Whoever comes again is told, or gets the rows that are there.
      if (onGap === 'fail') await expect(settle(stream.subscribe({ id: 'a' }, inbox.handler))).rejects.toMatchObject({ code: 'CHANGE_GAP' })
      else {
        await settle(stream.subscribe({ id: 'a' }, inbox.handler))
        log.commit({ table: 'users', id: 9, value: 'z' })
        await settle(inbox.until(() => inbox.log.at(-1)?.startsWith('users:9') === true))
      }
      await settle(stream.stop())
    }
  })

  it('is no reason to take a checkpoint of another source, or what is no checkpoint', async () => {
    const { log, stream, settle } = makeRig({ onGap: 'resnapshot' })
    const foreign = encodeCheckpoint({ source: 'other', position: log.head, snapshot: null })
    await expect(settle(stream.subscribe({ id: 'a', from: foreign }, () => undefined))).rejects.toMatchObject({ code: 'CHECKPOINT_FOREIGN' })
    await expect(settle(stream.subscribe({ id: 'a', from: 'nonsense' }, () => undefined))).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
    await expect(settle(stream.live({ from: foreign }).next())).rejects.toMatchObject({ code: 'CHECKPOINT_FOREIGN' })
    await settle(stream.stop())
  })
})

describe('a source that fails', () => {
  it('is tried again for ever with what is retryable, and nothing is lost', async () => {
    const { log, runtime, seen, stream, settle } = makeRig()
    const inbox = new Inbox()
    await settle(stream.subscribe({ id: 'a' }, inbox.handler))
    log.fail('readChanges', 'SOURCE_UNREACHABLE', 20)
    commitMany(log, 3)
    await runtime.advance(100)
    expect((await stream.source('db')).state).toBe('reconnecting')
    await runtime.advance(600_000)
    expect(inbox.events.length).toBe(3)
    expect((await stream.source('db'))).toMatchObject({ state: 'running', lastError: undefined })
    expect(seen.error.filter(({ error }) => error.code === 'SOURCE_UNREACHABLE').map(({ attempt }) => attempt)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    await settle(stream.stop())
  })

  it('is tried again while it is opened', async () => {
    const { log, stream, settle } = makeRig()
    log.fail('connect', 'SOURCE_UNREACHABLE', 3)
    await settle(stream.start())
    expect((await stream.source('db')).state).toBe('running')
    await settle(stream.stop())
  })

  it('ends with what is not, and start() says so', async () => {
    const { log, stream, settle } = makeRig()
    log.fail('connect', 'SOURCE_AUTH_FAILED')
    await expect(settle(stream.start())).rejects.toMatchObject({ code: 'SOURCE_AUTH_FAILED' })
    expect(await stream.source('db')).toMatchObject({ state: 'failed', lastError: { code: 'SOURCE_AUTH_FAILED' } })
    await settle(stream.start())
    await settle(stream.stop())
  })
})
