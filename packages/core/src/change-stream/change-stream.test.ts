import { describe, expect, it } from 'vitest'
import { memoryStateStore } from '../state/memory-state-store.ts'
import { ChangeStream } from './change-stream.ts'
import { Inbox } from './test/inbox.ts'
import { ScriptedLog } from './test/scripted-log.ts'

describe('a change stream', () => {
  it('gives a durable subscriber what is committed, and goes on from its checkpoint after a restart', async () => {
    const log = new ScriptedLog()
    const checkpoints = memoryStateStore()
    log.commit({ table: 'users', id: 1, value: 'before' })
    const first = new Inbox()
    await using stream = new ChangeStream({ source: log.source, checkpoints })
    await stream.subscribe({ id: 'indexer' }, first.handler)
    log.commit({ table: 'users', id: 2, value: 'a' }, { table: 'orders', id: 1, value: 'b' })
    await first.count(2)
    expect(first.log).toEqual(['users:2=a', 'orders:1=b'])
    expect(first.batches[0]).toMatchObject({ begin: true, commit: true })
    await stream.stop()
    log.commit({ table: 'users', id: 3, value: 'c' })
    const second = new Inbox()
    await stream.subscribe({ id: 'indexer' }, second.handler)
    await second.count(1)
    expect(second.log).toEqual(['users:3=c'])
  })

  it('gives a loop what is committed while it runs', async () => {
    const log = new ScriptedLog()
    await using stream = new ChangeStream({ source: log.source })
    const batches = stream.live({ tables: ['users'] })
    await batches.ready()
    log.commit({ table: 'orders', id: 1, value: 'x' }, { table: 'users', id: 1, value: 'a' })
    const { value } = await batches.next()
    expect(value?.events.map(({ table }: { table: string }) => table)).toEqual(['users'])
    await batches.return()
  })

  it('gives a late subscriber the rows that are there first', async () => {
    const log = new ScriptedLog()
    for (let id = 1; id <= 500; id += 1) log.commit({ table: 'users', id, value: `v${id}` })
    await using stream = new ChangeStream({ source: log.source, checkpoints: memoryStateStore(), snapshot: 'initial' })
    const inbox = new Inbox()
    await stream.subscribe({ id: 'late' }, inbox.handler)
    await inbox.count(500)
    log.commit({ table: 'users', id: 1, value: 'new' })
    await inbox.count(501)
    expect(inbox.log.at(-1)).toBe('users:1=new')
    expect(inbox.rows.size).toBe(500)
  })
})
