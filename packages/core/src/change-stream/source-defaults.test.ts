import { expect, it } from 'vitest'
import { ChangeStream } from './change-stream.ts'
import { Inbox } from './test/inbox.ts'
import { makeRig } from './test/rig.ts'
import { ScriptedLog } from './test/scripted-log.ts'

function logWithRows(): ScriptedLog {
  const log = new ScriptedLog()
  log.commit({ table: 'users', id: 1, value: 'there' })
  return log
}

it('a source says whether its subscribers begin with a snapshot, unless the stream or the subscriber does', async () => {
  const log = logWithRows()
  const { runtime, settle } = makeRig({ log })
  const source = { ...log.source, defaults: { snapshot: 'initial' } } as const
  const stream = new ChangeStream({ source, runtime })
  const [asSource, asSubscriber] = [new Inbox(), new Inbox()]
  await settle(stream.subscribe({ id: 'as-source', durable: false }, asSource.handler))
  await settle(stream.subscribe({ id: 'as-subscriber', durable: false, snapshot: 'none' }, asSubscriber.handler))
  const quiet = new ChangeStream({ source, runtime, snapshot: 'none' })
  const asStream = new Inbox()
  await settle(quiet.subscribe({ id: 'as-stream', durable: false }, asStream.handler))
  await settle(asSource.count(1))
  log.commit({ table: 'users', id: 2, value: 'later' })
  await settle(Promise.all([asSource.count(2), asSubscriber.count(1), asStream.count(1)]))
  expect([asSource, asSubscriber, asStream].map(({ events }) => events.map(({ op, key }) => `${op} ${String(key?.['id'])}`))).toEqual([['snapshot 1', 'insert 2'], ['insert 2'], ['insert 2']])
  await settle(Promise.all([stream.stop(), quiet.stop()]))
})

it('a source says what follows when changes are missing, unless the stream does', async () => {
  const actions: string[] = []
  for (const onGap of [undefined, 'fail'] as const) {
    const log = logWithRows()
    const { runtime, settle } = makeRig({ log })
    const stream = new ChangeStream({ source: { ...log.source, defaults: { onGap: 'resnapshot' } }, runtime, onGap })
    stream.on('gap', ({ action }) => actions.push(action))
    const inbox = new Inbox()
    const subscription = await settle(stream.subscribe({ id: 'reader', durable: false }, inbox.handler))
    const ended = subscription.done.catch(() => undefined)
    log.epoch = 'e2'
    log.commit({ table: 'users', id: 2, value: 'after' })
    await settle(onGap === undefined ? inbox.count(2) : ended)
    await settle(stream.stop())
  }
  expect(actions).toEqual(['resnapshot', 'fail'])
})
