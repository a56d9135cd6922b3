import { describe, expect, it } from 'vitest'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { ChangeStream } from './change-stream.ts'
import type { ChangeStreamOptions } from './change-stream-options.ts'
import { makeRig } from './test/rig.ts'
import { ScriptedLog } from './test/scripted-log.ts'

const paths = (error: unknown): readonly string[] => (error instanceof TidemarkError ? error.issues.map(({ path }) => path) : [])

function construct(options: unknown): unknown {
  try {
    return new ChangeStream(options as ChangeStreamOptions)
  } catch (error) {
    return error
  }
}

describe('wrong options', () => {
  it('are all named at once', () => {
    const error = construct({ source: {}, name: '', snapshot: 'all', onGap: 1, batch: { events: 0 }, buffer: { size: 1 }, retry: { attempts: -1 }, leaseTtlMs: -1, checkpoints: {} })
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(paths(error)).toEqual(['source', 'name', 'snapshot', 'checkpoints', 'onGap', 'batch.events', 'buffer.size', 'retry.attempts', 'leaseTtlMs'])
    expect(paths(construct({}))).toEqual(['source'])
    expect(paths(construct({ sources: [] }))).toEqual(['sources'])
  })

  it('may not have two sources of one name', () => {
    const log = new ScriptedLog({ name: 'same' })
    expect(paths(construct({ sources: [log.source, log.source] }))).toEqual(['sources[1].name'])
    expect(paths(construct({ source: log.source, sources: [log.source] }))).toEqual(['sources'])
  })

  it('of a subscriber are all named at once, before anything is opened', async () => {
    const { log, stream } = makeRig({ checkpoints: undefined as never })
    const error: unknown = await stream.subscribe({ id: '', tables: [], ops: ['snapshot' as never], retry: { baseMs: 0 }, onError: 'dead-letter', graceMs: -1 }, () => undefined).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(paths(error)).toEqual(['tables', 'ops[0]', 'graceMs', 'id', 'retry.baseMs', 'deadLetter', 'durable'])
    await expect(stream.live({ maxBufferedBytes: 0 }).next()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(stream.subscribe({ id: 'a' }, undefined as never)).rejects.toBeInstanceOf(TypeError)
    expect(log.calls.connect).toBe(0)
  })

  it('must say which of several sources is meant', async () => {
    const { stream } = makeRig({ source: undefined, sources: [new ScriptedLog({ name: 'one' }).source, new ScriptedLog({ name: 'two' }).source] })
    expect(paths(await stream.subscribe({ id: 'a' }, () => undefined).catch((caught: unknown) => caught))).toEqual(['source'])
    await expect(stream.subscribe({ id: 'a', source: 'three' }, () => undefined)).rejects.toMatchObject({ code: 'NAME_UNKNOWN' })
    await expect(stream.source('three')).rejects.toMatchObject({ code: 'NAME_UNKNOWN' })
  })
})

describe('a subscriber that can\'t be', () => {
  it('of an unknown table is refused, and leaves its id and the lease free', async () => {
    const { log, stream, settle } = makeRig()
    await expect(settle(stream.subscribe({ id: 'a', tables: ['users', 'nope'] }, () => undefined))).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
    await expect(settle(stream.subscribe({ id: 'a', tables: ['other.users'] }, () => undefined))).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
    expect(log.leases.isHeld('stream/default')).toBe(false)
    await settle(stream.subscribe({ id: 'a', tables: ['users'] }, () => undefined))
    await settle(stream.stop())
  })

  it('of an id in use is refused, also while the first is still on its way', async () => {
    const { stream, settle } = makeRig()
    const first = stream.subscribe({ id: 'a' }, () => undefined)
    await expect(stream.subscribe({ id: 'a' }, () => undefined)).rejects.toMatchObject({ code: 'SUBSCRIBER_EXISTS' })
    await expect(stream.live({ id: 'a' }).next()).rejects.toMatchObject({ code: 'SUBSCRIBER_EXISTS' })
    const subscription = await settle(first)
    await settle(subscription.unsubscribe())
    await settle(stream.subscribe({ id: 'a' }, () => undefined))
    await settle(stream.stop())
  })

  it('asks for a snapshot where the source has none', async () => {
    const { stream, settle } = makeRig({ log: { snapshots: false } })
    await expect(settle(stream.subscribe({ id: 'a', snapshot: 'initial' }, () => undefined))).rejects.toMatchObject({ code: 'NOT_SUPPORTED' })
    await settle(stream.stop())
  })

  it('ends its call with its signal', async () => {
    const { log, runtime, stream } = makeRig()
    log.fail('connect', 'SOURCE_UNREACHABLE', 1_000)
    const controller = new AbortController()
    const call = stream.subscribe({ id: 'a', signal: controller.signal }, () => undefined)
    controller.abort()
    await expect(call).rejects.toMatchObject({ code: 'ABORTED' })
    await stream.stop()
    expect(runtime.pending).toBe(0)
  })
})
