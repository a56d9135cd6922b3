import { describe, expect, it } from 'vitest'
import type { Authorize } from './index.ts'
import { followSocket } from './test/follow-socket.ts'
import { readSse, take } from './test/read-sse.ts'
import { makeWorld, SECRETS, type World } from './test/world.ts'
import { nodeWebSockets } from './ws.ts'

/** Who sends the token may what is granted to it now. Resolves `asked` once it has been asked about a feed that is open. */
interface Gate {
  readonly authorize: Authorize
  readonly granted: Map<string, readonly string[]>
  readonly askedAgain: (token: string, times: number) => Promise<void>
}

function makeGate(): Gate {
  const granted = new Map<string, readonly string[]>([[SECRETS.operate, ['read', 'operate']], [SECRETS.admin, ['read', 'operate', 'admin']]])
  const asked = new Map<string, number>()
  const waiting = new Set<() => void>()
  return {
    granted,
    authorize: (request, scope) => {
      const token = request.headers.get('authorization')?.slice('Bearer '.length) ?? ''
      asked.set(token, (asked.get(token) ?? 0) + 1)
      for (const wake of waiting) wake()
      return granted.get(token)?.includes(scope) === true
    },
    askedAgain: async (token, times) => {
      const until = (asked.get(token) ?? 0) + times
      while ((asked.get(token) ?? 0) < until) await new Promise<void>((resolve) => { waiting.add(resolve) })
    },
  }
}

async function makeGatedWorld(): Promise<{ readonly world: World; readonly gate: Gate }> {
  const gate = makeGate()
  const sockets = nodeWebSockets()
  const world = await makeWorld({ authorize: gate.authorize, changes: { webSockets: sockets.upgrade, recheckMs: 20 } })
  world.server.on('upgrade', sockets.listener(world.handler))
  return { world, gate }
}

const subscriberStopped = (world: World): Promise<void> => new Promise((resolve) => {
  world.stream.on('status', (status) => { if (status.kind === 'subscriber' && status.state === 'stopped') resolve() })
})

const note = (world: World, text: string): void => world.app.exec(`INSERT INTO notes (body) VALUES ('${text}')`)

describe.each([['is revoked', [], 401, 'REQUEST_UNAUTHORIZED'], ['has another scope now', ['read'], 403, 'REQUEST_FORBIDDEN']] as const)('a feed whose token %s', (_what, scopes, status, code) => {
  it('ends, as events, with a problem and without what is written then, and others go on', async () => {
    const { world, gate } = await makeGatedWorld()
    await using _world = world
    const mine = readSse(await world.ask('/changes?tables=notes', { as: 'operate' }))
    const other = readSse(await world.ask('/changes?tables=notes', { as: 'admin' }))
    await Promise.all([mine, other].map((one) => take(one, 'checkpoint', 1)))
    await gate.askedAgain(SECRETS.operate, 3)
    note(world, 'before')
    expect((await take(mine, 'change', 1)).length).toBe(1)
    const stopped = subscriberStopped(world)
    gate.granted.set(SECRETS.operate, scopes)
    expect((await mine.next()).value).toMatchObject({ event: 'problem', data: { code, status } })
    note(world, 'after')
    expect(await mine.next()).toMatchObject({ done: true })
    await stopped
    expect((await take(other, 'change', 2)).length).toBe(2)
    await gate.askedAgain(SECRETS.admin, 2)
    await other.return(undefined)
  })

  it('ends, over a WebSocket, with a problem and a code of its own, and others go on', async () => {
    const { world, gate } = await makeGatedWorld()
    await using _world = world
    const url = `${world.url}/changes/socket?tables=notes`
    // As a page sends it: the subprotocol is looked at again, too.
    const mine = await followSocket(url, { token: undefined, protocols: ['tidemark.v1', `tidemark.token.${Buffer.from(SECRETS.operate).toString('base64url')}`] })
    const other = await followSocket(url, { token: SECRETS.admin })
    await Promise.all([mine, other].map((one) => one.take('checkpoint', 1)))
    await gate.askedAgain(SECRETS.operate, 3)
    const stopped = subscriberStopped(world)
    gate.granted.set(SECRETS.operate, scopes)
    expect(await mine.closed).toEqual([4_000 + status, code])
    expect(mine.messages.at(-1)).toMatchObject({ event: 'problem', data: { code, status } })
    await stopped
    note(world, 'after')
    expect((await other.take('change', 1)).length).toBe(1)
    other.socket.terminate()
  })
})

it('is asked about no more when the client has left', async () => {
  const { world, gate } = await makeGatedWorld()
  await using _world = world
  const mine = readSse(await world.ask('/changes', { as: 'operate' }))
  await take(mine, 'checkpoint', 1)
  const stopped = subscriberStopped(world)
  await mine.return(undefined)
  await stopped
  const other = readSse(await world.ask('/changes', { as: 'admin' }))
  await take(other, 'checkpoint', 1)
  let count = 0
  void gate.askedAgain(SECRETS.operate, 1).then(() => { count += 1 })
  // The other's timer has gone round several times by then.
  await gate.askedAgain(SECRETS.admin, 4)
  expect(count).toBe(0)
  await other.return(undefined)
})
