import { describe, expect, it } from 'vitest'
import type { ChangeBatch } from '../change/change-batch.ts'
import type { TidemarkError } from '../errors/tidemark-error.ts'
import { Inbox } from './test/inbox.ts'
import { makeRig } from './test/rig.ts'

const ROW = { table: 'users', id: 1, value: 'secret-value' }

describe('a handler that fails', () => {
  it('gets the same batch again, and is not asked for the next before', async () => {
    const { log, seen, stream, settle } = makeRig()
    const inbox = new Inbox()
    let left = 3
    await settle(stream.subscribe({ id: 'a' }, (batch) => {
      if ((left -= 1) >= 0) throw new Error('not yet')
      inbox.handler(batch)
    }))
    log.commit(ROW)
    log.commit({ ...ROW, id: 2 })
    await settle(inbox.count(2))
    expect(inbox.log.map((line) => line.slice(0, 7))).toEqual(['users:1', 'users:2'])
    expect(seen.error.map(({ subscriber, attempt, error }) => [subscriber, attempt, error.code])).toEqual([1, 2, 3].map((attempt) => ['a', attempt, 'HANDLER_FAILED']))
    expect(seen.status.filter(({ kind }) => kind === 'subscriber').map(({ state }) => state)).toEqual(['streaming', 'retrying', 'streaming', 'retrying', 'streaming', 'retrying', 'streaming'])
    await settle(stream.stop())
  })

  it('ends after its last attempt with the cause, its position unmoved, and its values in no event', async () => {
    const { log, seen, stream, settle } = makeRig({ retry: { attempts: 2 } })
    const cause = new Error(`no ${ROW.value}`)
    const subscription = await settle(stream.subscribe({ id: 'a' }, () => Promise.reject(cause)))
    const start = log.head
    const other = new Inbox()
    await settle(stream.subscribe({ id: 'b' }, other.handler))
    log.commit(ROW)
    await expect(settle(subscription.done)).rejects.toMatchObject({ code: 'HANDLER_FAILED', cause })
    expect(subscription.status()).toBe('failed')
    expect(JSON.stringify(seen)).not.toContain(ROW.value)
    await settle(other.count(1))
    expect(log.retained.get('default')).toEqual(start)
    const again = new Inbox()
    await settle(stream.subscribe({ id: 'a' }, again.handler))
    await settle(again.count(1))
    expect(again.events).toEqual(other.events)
    await settle(stream.stop())
  })

  it('goes on behind a batch that the dead letter has taken', async () => {
    const { log, stream, settle } = makeRig({ retry: { attempts: 2 } })
    const dead: [ChangeBatch, TidemarkError][] = []
    let bury: () => void = () => undefined
    const buried = new Promise<void>((resolve) => { bury = resolve })
    const inbox = new Inbox()
    await settle(stream.subscribe({
      id: 'a',
      onError: 'dead-letter',
      deadLetter: (batch, error) => {
        dead.push([batch, error])
        bury()
      },
    }, (batch) => {
      if (batch.events[0]?.key?.['id'] === 1) throw new Error('poison')
      inbox.handler(batch)
    }))
    log.commit(ROW)
    await settle(buried)
    log.commit({ ...ROW, id: 2 })
    await settle(inbox.count(1))
    expect(dead.map(([batch, error]) => [batch.events.length, error.code])).toEqual([[1, 'HANDLER_FAILED']])
    expect(inbox.log).toEqual(['users:2=secret-value'])
    await settle(stream.stop())
  })

  it('ends when the dead letter is refused too', async () => {
    const { log, stream, settle } = makeRig({ retry: { attempts: 1 } })
    const subscription = await settle(stream.subscribe({
      id: 'a', onError: 'dead-letter', deadLetter: () => { throw new Error('full') },
    }, () => { throw new Error('poison') }))
    log.commit(ROW)
    await expect(settle(subscription.done)).rejects.toMatchObject({ code: 'HANDLER_FAILED' })
    await settle(stream.stop())
  })

  it('delays nobody else', async () => {
    for (const rereads of [true, false]) {
      const { log, stream, settle } = makeRig({ log: { rereads, bytesPerEvent: 100 }, buffer: { bytes: 10_000 } })
      const inbox = new Inbox()
      await settle(stream.subscribe({ id: 'stuck' }, () => new Promise(() => undefined)))
      await settle(stream.subscribe({ id: 'free' }, inbox.handler))
      for (let id = 1; id <= 50; id += 1) log.commit({ table: 'users', id, value: 'v' })
      await settle(inbox.count(50))
      await settle(stream.stop())
    }
  })
})

describe('stopping', () => {
  it('fires the batch\'s signal, waits for the handler, keeps what it did, and leaves nothing behind', async () => {
    const { log, runtime, stream, settle } = makeRig()
    let finished = 0
    const subscription = await settle(stream.subscribe({ id: 'a' }, ({ signal }) => new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        finished += 1
        resolve()
      }, { once: true })
    })))
    log.commit(ROW)
    await runtime.advance(10)
    await stream.stop()
    expect(finished).toBe(1)
    await expect(subscription.done).resolves.toBeUndefined()
    expect(subscription.status()).toBe('stopped')
    expect([runtime.pending, log.listeners.size, log.open, log.leases.isHeld('stream/default')]).toEqual([0, 0, 0, false])
    const again = new Inbox()
    await settle(stream.subscribe({ id: 'a' }, again.handler))
    log.commit({ ...ROW, id: 2 })
    await settle(again.count(1))
    expect(again.log).toEqual(['users:2=secret-value'])
    await settle(stream.stop())
  })

  it('waits a bounded time for a handler that does not end, and does not count what it does later', async () => {
    const { log, runtime, stream, settle } = makeRig({ stopGraceMs: 200 })
    let release: () => void = () => undefined
    await settle(stream.subscribe({ id: 'a' }, () => new Promise<void>((resolve) => { release = resolve })))
    log.commit(ROW)
    await runtime.advance(10)
    const from = runtime.now()
    await settle(stream.stop())
    expect(runtime.now() - from).toBeLessThan(1_000)
    release()
    await runtime.advance(0)
    expect(runtime.pending).toBe(0)
    const again = new Inbox()
    await settle(stream.subscribe({ id: 'a' }, again.handler))
    await settle(again.count(1))
    await settle(stream.stop())
  })

  it('ends retries and reconnects at once', async () => {
    const { log, runtime, stream, settle } = makeRig()
    await settle(stream.subscribe({ id: 'a' }, () => { throw new Error('never') }))
    log.commit(ROW)
    await runtime.advance(10)
    log.fail('readChanges', 'SOURCE_UNREACHABLE', 1_000)
    await runtime.advance(2_000)
    expect((await stream.listSources())[0]?.state).toBe('reconnecting')
    await stream.stop()
    expect([runtime.pending, log.listeners.size, log.open]).toEqual([0, 0, 0])
  })

  it('ends an opening under way', async () => {
    const { log, runtime, stream } = makeRig()
    log.fail('connect', 'SOURCE_UNREACHABLE', 1_000)
    const opening = stream.subscribe({ id: 'a' }, () => undefined)
    opening.catch(() => undefined)
    await runtime.advance(1_000)
    await stream.stop()
    await expect(opening).rejects.toMatchObject({ code: 'ABORTED' })
    expect([runtime.pending, log.open]).toEqual([0, 0])
  })
})
