import { once } from 'node:events'
import { connect } from 'node:net'
import { ChangeStream } from '@tidemark/core'
import { sqliteChanges } from '@tidemark/node'
import { describe, expect, it } from 'vitest'
import { changeMessages } from './index.ts'
import { readSse, take, type SseMessage } from './test/read-sse.ts'
import { makeWorld, SECRETS, type World } from './test/world.ts'

interface Change {
  readonly op: string
  readonly table: string
  readonly after: Readonly<Record<string, unknown>> | null
}

async function follow(world: World, query = '', headers: Readonly<Record<string, string>> = {}): Promise<AsyncGenerator<SseMessage>> {
  const answer = await world.ask(`/changes${query}`, { as: 'operate', headers })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  return readSse(answer)
}

/** Waits for the first message, so that leaving ends a request that has begun. */
async function followed(world: World): Promise<AsyncGenerator<SseMessage>> {
  const messages = await follow(world)
  await take(messages, 'checkpoint', 1)
  return messages
}

const bodiesOf = (messages: readonly SseMessage[]): readonly unknown[] => messages.map(({ data }) => (data as Change).after?.['body'])

describe('changes over HTTP', () => {
  it('come as they are committed, and go on behind the last one that was dealt with', async () => {
    await using world = await makeWorld()
    const first = await follow(world, '?tables=notes')
    world.app.exec(`INSERT INTO notes (body) VALUES ('one')`)
    world.app.exec(`BEGIN; INSERT INTO notes (body) VALUES ('two'); INSERT INTO users (id, name) VALUES (1000, 'x'); INSERT INTO notes (body) VALUES ('three'); COMMIT`)
    const messages = await take(first, 'change', 3)
    expect(bodiesOf(messages)).toEqual(['one', 'two', 'three'])
    expect(messages[0]?.data).toMatchObject({ op: 'insert', table: 'notes', key: { id: 1 }, before: null })
    await first.return(undefined)
    world.app.exec(`INSERT INTO notes (body) VALUES ('while away')`)
    const second = await follow(world, '?tables=notes', { 'last-event-id': messages[2]?.id ?? '' })
    world.app.exec(`INSERT INTO notes (body) VALUES ('again there')`)
    expect(bodiesOf(await take(second, 'change', 2))).toEqual(['while away', 'again there'])
    await second.return(undefined)
  })

  it('have an id only where a transaction ends: what follows an unfinished one is a repetition, never a hole', async () => {
    await using world = await makeWorld({ streams: undefined })
    const source = sqliteChanges({ path: `${world.folder}/app.db` }, { tables: ['notes'], log: 'small' })
    await source.install()
    await using stream = new ChangeStream({ source, batch: { events: 10 } })
    await using small = await makeWorldWith(world, stream)
    const messages = await follow(small)
    world.app.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 95) INSERT INTO notes SELECT i, 'note ' || i FROM n`)
    const changes = await take(messages, 'change', 95)
    expect(changes.filter(({ id }) => id !== undefined).length).toBe(1)
    expect(changes.at(-1)?.id).toBeTypeOf('string')
    await messages.return(undefined)
  })

  it('tell where they begin, so that nothing is missed by who comes back before the first', async () => {
    await using world = await makeWorld()
    const first = await follow(world)
    const [begin] = await take(first, 'checkpoint', 1)
    await first.return(undefined)
    world.app.exec(`INSERT INTO notes (body) VALUES ('missed?')`)
    const second = await follow(world, `?lastEventId=${begin?.id ?? ''}`)
    expect(bodiesOf(await take(second, 'change', 1))).toEqual(['missed?'])
    await second.return(undefined)
  })

  it('begin with the rows that are there, where asked to', async () => {
    await using world = await makeWorld()
    const messages = await follow(world, '?tables=users&snapshot=initial')
    const rows = await take(messages, 'change', 100)
    expect(new Set(rows.map(({ data }) => (data as Change).op))).toEqual(new Set(['snapshot']))
    await messages.return(undefined)
  })

  it('are only those that were asked for', async () => {
    await using world = await makeWorld()
    const messages = await follow(world, '?ops=delete,update')
    world.app.exec(`INSERT INTO notes VALUES (1, 'a'); UPDATE notes SET body = 'b'; UPDATE users SET name = 'z' WHERE id = 1; DELETE FROM notes`)
    expect((await take(messages, 'change', 3)).map(({ data }) => [(data as Change).op, (data as Change).table])).toEqual([['update', 'notes'], ['update', 'users'], ['delete', 'notes']])
    await messages.return(undefined)
  })

  it('keep values and names that would break lines or numbers', async () => {
    await using world = await makeWorld()
    const answer = await world.ask('/changes?tables=notes', { as: 'operate' })
    world.app.prepare('INSERT INTO notes VALUES (9007199254740993, ?)').run('a\r\nb\n\ndata: x\u2028')
    for await (const { event, data } of readSse(answer)) {
      if (event !== 'change') continue
      expect(data).toMatchObject({ after: { body: 'a\r\nb\n\ndata: x\u2028' } })
      break
    }
  })

  it('refuse what can\'t be followed before anything is sent', async () => {
    await using world = await makeWorld()
    const wrong: readonly (readonly [query: string, status: number, code: string])[] = [
      ['?tables=missing', 404, 'TABLE_UNKNOWN'], ['?source=other', 404, 'NAME_UNKNOWN'], ['?stream=other', 404, 'NAME_UNKNOWN'], ['?ops=select', 400, 'CONFIG_INVALID'], ['?snapshot=all', 400, 'CONFIG_INVALID'],
      ['?lastEventId=%21', 400, 'REQUEST_INVALID'], ['?lastEventId=AAAA', 400, 'REQUEST_INVALID'], ['?tables=', 400, 'CONFIG_INVALID'],
    ]
    for (const [query, status, code] of wrong) {
      const answer = await world.ask(`/changes${query}`, { as: 'operate' })
      expect([query, answer.status, (await answer.json() as { code: string }).code]).toEqual([query, status, code])
    }
    const { subscribers } = await world.stream.source('sqlite')
    expect(subscribers).toEqual([])
  })

  it('say that something is missing with 410', async () => {
    await using world = await makeWorld()
    const messages = await follow(world)
    const [begin] = await take(messages, 'checkpoint', 1)
    await messages.return(undefined)
    const state = JSON.parse(Buffer.from(begin?.id ?? '', 'base64url').toString()) as { epoch: string }
    const other = Buffer.from(JSON.stringify({ ...state, epoch: `${state.epoch}0` })).toString('base64url')
    const answer = await world.ask('/changes', { as: 'operate', headers: { 'last-event-id': other } })
    expect([answer.status, (await answer.json() as { code: string }).code]).toEqual([410, 'CHANGE_GAP'])
  })

  it('say that they are still there, and forget a client that is cut off', async () => {
    await using world = await makeWorld({ changes: { heartbeatMs: 20 } })
    const socket = connect(world.port, '127.0.0.1')
    socket.write(`GET /changes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${SECRETS.operate}\r\n\r\n`)
    let text = ''
    while (!text.includes(': still here')) text += String((await once(socket, 'data'))[0])
    const gone = new Promise<void>((resolve) => { world.stream.on('status', (status) => { if (status.kind === 'subscriber' && status.state === 'stopped') resolve() }) })
    socket.destroy()
    await gone
    expect((await world.stream.source('sqlite')).subscribers).toEqual([])
    expect(await (await world.ask('/metrics', { as: 'read' })).text()).toContain('tidemark_feeds{} 0')
  })

  it('are followed by so many and no more', async () => {
    await using world = await makeWorld({ changes: { maxFeeds: 2 } })
    const [first, second] = [await followed(world), await followed(world)]
    const third = await world.ask('/changes', { as: 'operate' })
    expect([third.status, (await third.json() as { code: string }).code, third.headers.get('retry-after')]).toEqual([503, 'TOO_MANY_FEEDS', '5'])
    const gone = new Promise<void>((resolve) => { world.stream.on('status', (status) => { if (status.kind === 'subscriber' && status.state === 'stopped') resolve() }) })
    await first.return(undefined)
    await gone
    await (await followed(world)).return(undefined)
    await second.return(undefined)
  })

  it('end with the handler', async () => {
    await using world = await makeWorld()
    const messages = await follow(world)
    await take(messages, 'checkpoint', 1)
    world.handler[Symbol.dispose]()
    expect(await messages.next()).toEqual({ done: true, value: undefined })
  })

  it('can be carried by something else', async () => {
    await using world = await makeWorld()
    const controller = new AbortController()
    const messages = changeMessages(world.stream, { tables: ['notes'], signal: controller.signal })
    expect((await messages.next()).value).toMatchObject({ event: 'checkpoint', data: '{}' })
    world.app.exec(`INSERT INTO notes (body) VALUES ('by another way')`)
    const { value } = await messages.next()
    expect(value).toMatchObject({ event: 'change', id: expect.any(String) })
    controller.abort()
    expect(await messages.next()).toEqual({ done: true, value: undefined })
  })

  it('have a status that holds no row', async () => {
    await using world = await makeWorld()
    const messages = await follow(world)
    const { sources } = await (await world.ask('/changes/status', { as: 'read' })).json() as { readonly sources: readonly unknown[] }
    expect(sources).toEqual([expect.objectContaining({ stream: 'default', name: 'sqlite', state: 'running', subscribers: [expect.objectContaining({ id: 'live-1', durable: false })] })])
    await messages.return(undefined)
  })
})

/** Another handler over the same database, for another stream. */
async function makeWorldWith(world: World, stream: ChangeStream): Promise<World> {
  const { createHandler } = await import('./index.ts')
  const { serve } = await import('./test/serve.ts')
  const handler = createHandler({ authorize: () => true, streams: { small: stream } })
  const server = await serve(handler)
  return {
    ...world, handler, url: server.url, port: server.port,
    ask: (path, init) => fetch(server.url + path, { headers: init?.headers ?? {} }),
    [Symbol.asyncDispose]: async () => {
      handler[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}
