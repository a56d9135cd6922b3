import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { followSocket, type FollowedSocket, type FollowOptions } from './test/follow-socket.ts'
import { readSse, take as takeSse } from './test/read-sse.ts'
import { makeWorld, SECRETS, type World } from './test/world.ts'
import { nodeWebSockets } from './ws.ts'

type ChangeOptions = NonNullable<Parameters<typeof makeWorld>[0]>['changes']

async function makeSocketWorld(changes: ChangeOptions = {}, basePath = ''): Promise<World> {
  const sockets = nodeWebSockets()
  const world = await makeWorld({ basePath, changes: { webSockets: sockets.upgrade, ...changes } })
  world.server.on('upgrade', sockets.listener(world.handler))
  return world
}

function follow(world: World, query = '', options: FollowOptions = {}): Promise<FollowedSocket> {
  return followSocket(`${world.url}/changes/socket${query}`, { token: SECRETS.operate, ...options })
}

/** The token as a page sends it. */
const tokenProtocol = (token: string): string => `tidemark.token.${Buffer.from(token).toString('base64url')}`

const bodiesOf = (messages: Awaited<ReturnType<FollowedSocket['take']>>): readonly unknown[] => messages.map(({ data }) => (data as { readonly after: { readonly body: unknown } }).after.body)

const subscriberStopped = (world: World): Promise<void> => new Promise((resolve) => {
  world.stream.on('status', (status) => { if (status.kind === 'subscriber' && status.state === 'stopped') resolve() })
})

describe('changes over a WebSocket', () => {
  it('are the messages of the other feed, and go on behind the last one that was dealt with', async () => {
    await using world = await makeSocketWorld({}, '/data')
    const first = await follow(world, '?tables=notes')
    await first.take('checkpoint', 1)
    const sse = readSse(await world.ask('/changes?tables=notes', { as: 'operate' }))
    await takeSse(sse, 'checkpoint', 1)
    world.app.exec(`BEGIN; INSERT INTO notes (body) VALUES ('one'); INSERT INTO users (id, name) VALUES (1000, 'x'); INSERT INTO notes (body) VALUES ('"two"\n'); COMMIT`)
    const messages = await first.take('change', 2)
    expect(bodiesOf(messages)).toEqual(['one', '"two"\n'])
    expect((await takeSse(sse, 'change', 2)).map(({ event, id, data }) => ({ event, ...(id === undefined ? {} : { id }), data }))).toEqual(messages)
    await sse.return(undefined)
    first.socket.close()
    await first.closed
    world.app.exec(`INSERT INTO notes (body) VALUES ('while away')`)
    const second = await follow(world, `?tables=notes&lastEventId=${messages[1]?.id ?? ''}`)
    world.app.exec(`INSERT INTO notes (body) VALUES ('again there')`)
    expect(bodiesOf(await second.take('change', 2))).toEqual(['while away', 'again there'])
    second.socket.terminate()
  })

  it('are for who may, by a header or, from a page, by a subprotocol that is never named back', async () => {
    await using world = await makeSocketWorld()
    const anonymous = { token: undefined }
    for (const [protocols, status] of [[[], '401'], [['tidemark.v1'], '401'], [['tidemark.v1', tokenProtocol('nobody')], '401'], [['tidemark.v1', tokenProtocol(SECRETS.read)], '403'], [['tidemark.v1', 'tidemark.token.!'], '401'], [['tidemark.v1', tokenProtocol('a\r\nb: c')], '401']] as const) {
      await expect(follow(world, '', { ...anonymous, protocols })).rejects.toThrow(status)
    }
    await expect(follow(world, `?token=${SECRETS.operate}`, anonymous)).rejects.toThrow('401')
    await expect(follow(world, `?token=${SECRETS.operate}`)).rejects.toThrow('400')
    await expect(follow(world, '', { token: SECRETS.read })).rejects.toThrow('403')
    await expect(follow(world, '', { ...anonymous, protocols: [tokenProtocol(SECRETS.operate)] })).rejects.toThrow('400')
    for (const protocols of [['tidemark.v1', tokenProtocol(SECRETS.operate)], [tokenProtocol(SECRETS.admin), 'tidemark.v1']]) {
      const page = await follow(world, '', { ...anonymous, protocols, headers: { origin: world.url } })
      expect(page.socket.protocol).toBe('tidemark.v1')
      await page.take('checkpoint', 1)
      page.socket.terminate()
    }
    const bare = await follow(world, '', { protocols: [] })
    expect(bare.socket.protocol).toBe('')
    bare.socket.terminate()
  })

  it('are not opened by a page of another site, whatever it sends', async () => {
    await using world = await makeSocketWorld()
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'origin': world.url, 'sec-fetch-site': 'cross-site' }] as const) {
      await expect(follow(world, '', { headers })).rejects.toThrow('403')
      await expect(follow(world, '', { headers, token: undefined, protocols: ['tidemark.v1', tokenProtocol(SECRETS.admin)] })).rejects.toThrow('403')
    }
    expect((await world.stream.source('sqlite')).subscribers).toEqual([])
  })

  it('ask for a handshake, and for one of this server', async () => {
    await using world = await makeSocketWorld()
    const plain = await world.ask('/changes/socket', { as: 'operate' })
    expect([plain.status, plain.headers.get('upgrade'), await plain.json()]).toEqual([426, 'websocket', expect.objectContaining({ code: 'REQUEST_INVALID', engineCode: 'upgrade' })])
    await expect(followSocket(`${world.url}/changes`, { token: SECRETS.operate, protocols: ['other'] })).rejects.toThrow('400')
    await expect(follow(world, '', { protocols: ['other'] })).rejects.toThrow('400')
    await expect(followSocket(`${world.url}/nothing`, { token: SECRETS.operate })).rejects.toThrow('404')
    await expect(follow(world, '?tables=')).rejects.toThrow('400')
    await expect(follow(world, '?stream=other')).rejects.toThrow('404')
    // Without the listener, the server takes the handshake for a request like any other.
    await using deaf = await makeWorld({ changes: { webSockets: nodeWebSockets().upgrade } })
    const answer = await deaf.handler(new Request('http://localhost/changes/socket', { headers: { upgrade: 'websocket', authorization: `Bearer ${SECRETS.operate}` } }))
    expect([answer.status, (await answer.json() as { code: string }).code]).toEqual([422, 'NOT_SUPPORTED'])
  })

  it('end with a problem that a page can read, and the status in the code', async () => {
    await using world = await makeSocketWorld({ maxFeeds: 1 })
    const ends = async (query: string): Promise<readonly unknown[]> => {
      const feed = await follow(world, query)
      const [problem] = await feed.take('problem', 1)
      return [(problem?.data as { readonly code: string } | undefined)?.code, ...await feed.closed]
    }
    const first = await follow(world)
    const [begin] = await first.take('checkpoint', 1)
    expect(await ends('')).toEqual(['TOO_MANY_FEEDS', 4_503, 'TOO_MANY_FEEDS'])
    const gone = subscriberStopped(world)
    first.socket.terminate()
    await gone
    expect(await ends('?tables=missing')).toEqual(['TABLE_UNKNOWN', 4_404, 'TABLE_UNKNOWN'])
    expect(await ends('?lastEventId=AAAA')).toEqual(['REQUEST_INVALID', 4_400, 'REQUEST_INVALID'])
    const state = JSON.parse(Buffer.from(begin?.id ?? '', 'base64url').toString()) as { readonly epoch: string }
    const other = Buffer.from(JSON.stringify({ ...state, epoch: `${state.epoch}0` })).toString('base64url')
    expect(await ends(`?lastEventId=${other}`)).toEqual(['CHANGE_GAP', 4_410, 'CHANGE_GAP'])
    expect((await world.stream.source('sqlite')).subscribers).toEqual([])
  })

  it('ping who is silent, and leave who does not answer', async () => {
    // Twice that is what the one that answers has, on a machine that is busy with other tests.
    await using world = await makeSocketWorld({ heartbeatMs: 300 })
    const answering = await follow(world)
    const silent = await follow(world, '', { answers: false })
    expect(await silent.closed).toEqual([4_408, 'A ping was not answered.'])
    await answering.take('ping', 4)
    world.app.exec(`INSERT INTO notes (body) VALUES ('still there')`)
    expect(bodiesOf(await answering.take('change', 1))).toEqual(['still there'])
    expect((await world.stream.source('sqlite')).subscribers.length).toBe(1)
    answering.socket.terminate()
  })

  it('wait for who is slow, and for nobody else', async () => {
    await using world = await makeSocketWorld({ maxUnansweredBytes: 10_000, heartbeatMs: 60_000 })
    const slow = await follow(world, '?tables=notes', { answers: false })
    const quick = await follow(world, '?tables=notes')
    await Promise.all([slow.take('checkpoint', 1), quick.take('checkpoint', 1)])
    for (let index = 0; index < 100; index += 1) {
      world.app.prepare('INSERT INTO notes (body) VALUES (?)').run('x'.repeat(1_000))
      await quick.take('change', 1)
    }
    const [ping] = await slow.take('ping', 1)
    // Ten and what makes them too many; the rest is in the log. A ping is out, and no other comes before it is answered.
    expect(slow.receivedBytes()).toBeLessThan(20_000)
    expect(quick.receivedBytes()).toBeGreaterThan(100_000)
    slow.socket.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString()) as { readonly event: string; readonly data: { readonly bytes: number } } // what a binary message of Node is
      if (message.event === 'ping') slow.socket.send(JSON.stringify({ pong: message.data.bytes }))
    })
    slow.socket.send(JSON.stringify({ pong: (ping?.data as { readonly bytes: number } | undefined)?.bytes }))
    while (slow.receivedBytes() < 100_000) await once(slow.socket, 'message')
    slow.socket.terminate()
    quick.socket.terminate()
  })

  it('take no message but an answer to a ping', async () => {
    await using world = await makeSocketWorld()
    for (const message of ['hello', '{}', '{"pong":-1}', '{"pong":999999}', '{"pong":1e3}', `{"pong":${'1'.repeat(40)}}`, Buffer.from([1, 2])]) {
      const feed = await follow(world)
      await feed.take('checkpoint', 1)
      feed.socket.send(message)
      expect([message, (await feed.closed)[0]]).toEqual([message, 4_400])
    }
    const large = await follow(world)
    large.socket.send('x'.repeat(100_000))
    expect((await large.closed)[0]).toBe(1_009)
    expect(await (await world.ask('/metrics', { as: 'read' })).text()).toContain('tidemark_feeds{} 0')
  })

  it('hold nothing for who is cut off, at the handshake too', async () => {
    await using world = await makeSocketWorld()
    const gone = subscriberStopped(world)
    const feed = await follow(world)
    await feed.take('checkpoint', 1)
    feed.socket.terminate()
    await gone
    expect((await world.stream.source('sqlite')).subscribers).toEqual([])
    const socket = connect(world.port, '127.0.0.1')
    socket.write(`GET /changes/socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: nonsense\r\nAuthorization: Bearer ${SECRETS.operate}\r\n\r\n`)
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 400 /)
    socket.destroy()
    expect(await (await world.ask('/metrics', { as: 'read' })).text()).toContain('tidemark_feeds{} 0')
  })

  it('end with the handler', async () => {
    await using world = await makeSocketWorld()
    const feed = await follow(world)
    await feed.take('checkpoint', 1)
    world.handler[Symbol.dispose]()
    expect(await feed.closed).toEqual([1_001, 'The server ends.'])
  })
})
