import { ChangeStream, Replicator } from '@tidemark/core'
import { bearerTokens, createHandler } from '@tidemark/http'
import { readSse } from '../read-sse.ts'
import { tell } from '../tell.ts'
import type { StoryHost, StoryServer } from '../story-host.ts'
import type { ToldParts } from '../told.ts'

const TOKEN = 'token-of-who-operates'

/** The HTTP API behind the runtime's own server, asked over the network where it has an address. */
export async function serve(host: StoryHost): Promise<ToldParts> {
  const app = host.database('app')
  const source = app.changes(['cells'])
  await using streams = new ChangeStream({ source, name: 'served' })
  await using replicator = new Replicator({ target: host.database('copy').target() })
  using handler = createHandler({ replicator, streams, basePath: '/data', authorize: bearerTokens({ operate: TOKEN }) })
  await using server = await host.serve(handler)
  return {
    'health': await tell(async () => outcome(await ask(server, '/health'))),
    'status': await tell(async () => outcome(await ask(server, '/data-replication/status'))),
    'page': await tell(async () => (await (await ask(server, '/')).text()).includes('<title>Tidemark</title>')),
    'no token': await tell(async () => (await server.fetch(`${server.url}/data/health`)).status),
    'feed': await tell(() => firstChange(server, async () => {
      await app.run(`INSERT INTO cells VALUES (40, 'served', 1.5)`)
      source.notify()
    })),
  }
}

function ask(server: StoryServer, path: string): Promise<Response> {
  return server.fetch(`${server.url}/data${path}`, { headers: { authorization: `Bearer ${TOKEN}` } })
}

async function outcome(response: Response): Promise<unknown> {
  return [response.status, await response.json()]
}

async function firstChange(server: StoryServer, write: () => Promise<void>): Promise<unknown> {
  const feed = await ask(server, '/changes')
  if (!feed.ok) return outcome(feed)
  await write()
  for await (const { event, data } of readSse(feed)) {
    if (event !== 'change') continue
    const { op, key, after } = data as Readonly<Record<string, unknown>> // a change is an object
    return { op, key, after }
  }
  return 'The feed ended before the change came.'
}
