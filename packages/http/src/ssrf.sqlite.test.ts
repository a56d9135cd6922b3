import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { Exporter, Replicator, TidemarkError, type CallbackOptions } from '@tidemark/core'
import { fsStorage, guardedFetch, nodeSqlite, nodeSqliteSource, nodeSqliteStateStore, nodeSqliteTarget } from '@tidemark/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHandler, type Handler } from './index.ts'
import { makeWorld, SECRETS, type World } from './test/world.ts'

/** Listens at every address of this machine, and counts who comes. */
let connections = 0
const open = new Set<Socket>()
const trap = createServer((request, answer) => {
  if (request.url?.startsWith('/redirect') === true) answer.writeHead(302, { location: '/canary' })
  answer.end()
})
trap.on('connection', (socket) => { connections += 1; open.add(socket) })
let port = 0
beforeAll(async () => {
  await new Promise<void>((resolve) => { trap.listen(0, '::', resolve) })
  port = (trap.address() as AddressInfo).port // it listens on a port
})
afterAll(() => {
  for (const socket of open) socket.destroy()
  trap.close()
})

const ALLOWED = ['https://hooks.example.com', 'https://*.partner.com', 'https://*.internal', 'https://*.0.1', 'https://*.localhost']

/** Addresses of this machine, of its network and of clouds, in every spelling. */
const HOSTS = [
  // Loopback: names, short forms, decimal, octal, hexadecimal, mixed, a dot behind.
  'localhost', 'LOCALHOST', 'localhost.', 'localhost.localdomain', 'a.localhost', 'ip6-localhost', '127.0.0.1', '127.0.0.1.', '127.1', '127.0.1', '127.255.255.254', '2130706433', '017700000001', '0x7f000001', '0x7f.1',
  '0177.0.0.1', '0177.0.0.01', '0x7f.0.0.0x1', '0x7F.0x0.0x0.0x1', '127.0.0.0x1', '0', '0.0.0.0', '0x0', '00000000000',
  // Loopback and private addresses within those of IPv6: mapped, compatible, NAT64, 6to4, Teredo, unique local, link-local.
  '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[0000:0000:0000:0000:0000:0000:0000:0001]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b::169.254.169.254]', '[2002:7f00:1::]', '[2002:a9fe:a9fe::]',
  '[2001:0:7f00:1::]', '[fc00::1]', '[fd00:ec2::254]', '[fe80::1]', '[::ffff:10.0.0.1]', '[::ffff:169.254.169.254]', '[ff02::1]',
  // Private networks.
  '10.0.0.1', '10.255.255.255', '167772161', '012.0.0.1', '172.16.0.1', '172.31.255.254', '192.168.0.1', '3232235521', '0xc0a80001', '100.64.0.1', '198.18.0.1', '240.0.0.1', '255.255.255.255', '224.0.0.1',
  // Metadata of clouds.
  '169.254.169.254', '169.254.169.254.', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '0xa9.0xfe.0xa9.0xfe', '169.254.43518', '169.254.170.2', '100.100.100.200', '192.0.0.192', 'metadata', 'metadata.google.internal', 'metadata.google.internal.', 'instance-data',
  // Names inside, and digits and dots that a parser makes ASCII of.
  'db.internal', 'db.internal.', 'kubernetes.default.svc', 'db.local', 'router.lan', 'nas.home.arpa', '①②⑦.⓪.⓪.①', '127。0。0。1', '１２７.０.０.１', 'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ', '%31%32%37.0.0.1', '127.0.0.1%2e',
] as const

/** Where a URL is not what it seems. */
const TRICKS = [
  'https://hooks.example.com@HOST/', 'https://hooks.example.com:443@HOST/', 'https://user:password@hooks.example.com/', 'https://HOST#hooks.example.com', 'https://HOST?hooks.example.com', 'https://HOST\\@hooks.example.com', 'https://hooks.example.com.HOST/',
  'https:\\\\HOST\\', 'https:/HOST/', 'https:HOST', '//HOST/', 'http://hooks.example.com/', 'https://hooks.example.com:8443/', 'https://partner.com/', 'https://evilpartner.com/', 'https://a.partner.com:444/', 'https://a.partner.com.evil.org/', 'https://%68ooks.example.com.evil.org/',
  'ftp://hooks.example.com/', 'file:///etc/passwd', 'gopher://HOST/_canary', 'dict://HOST/', 'ldap://HOST/', 'jar:https://HOST!/', 'data:text/plain,canary', 'javascript:alert(1)', 'blob:https://hooks.example.com/canary', 'unix:/var/run/docker.sock', 'ws://HOST/', 'https://', 'https://:443/', 'canary', '\u0000https://HOST',
]

function corpus(): readonly string[] {
  const local = `127.0.0.1:${port}`
  return [
    ...HOSTS.flatMap((host) => [`https://${host}/canary`, `http://${host}:${port}/canary`]),
    ...TRICKS.map((trick) => trick.replace('HOST', local)),
  ]
}

interface Calling extends AsyncDisposable {
  readonly exporter: Exporter
  readonly handler: Handler
}

function makeCalling(world: World, callbacks: CallbackOptions): Calling {
  const state = nodeSqliteStateStore({ path: join(world.folder, 'calling.db') })
  const exporter = new Exporter({ source: nodeSqlite({ path: join(world.folder, 'app.db') }), storage: fsStorage(join(world.folder, 'dumps')), state, callbacks })
  const handler = createHandler({ authorize: () => true, exporter, exports: { runs: false, waitMs: 0 } })
  return {
    exporter, handler,
    [Symbol.asyncDispose]: async () => {
      handler[Symbol.dispose]()
      await exporter[Symbol.asyncDispose]()
      await state[Symbol.asyncDispose]()
    },
  }
}

const post = (handler: Handler, path: string, json: unknown): Promise<Response> =>
  handler(new Request(`http://localhost${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) }))

/** Begins an export that calls this address, runs it to its end, and says what became of the call. */
async function callback({ exporter, handler }: Calling, url: string): Promise<unknown> {
  const answer = await post(handler, '/export/dump', { callbackUrl: url })
  const { exportId } = await answer.json() as { readonly exportId: string }
  await exporter.finish(exportId)
  const { callback: told } = await (await handler(new Request(`http://localhost/export/status/${exportId}`))).json() as { readonly callback: { readonly outcome: string; readonly error?: { readonly code: string; readonly detail?: string } } }
  return [told.outcome, told.error?.code, told.error?.detail]
}

describe('an address that was sent', () => {
  it('is called back nowhere but where it is allowed', async () => {
    await using world = await makeWorld()
    await using calling = makeCalling(world, { allowedOrigins: ALLOWED, secret: SECRETS.callback })
    const urls = corpus()
    expect(new Set(urls).size).toBeGreaterThanOrEqual(190)
    for (const url of urls) {
      const query = `/export/dump?callbackUrl=${encodeURIComponent(url)}`
      for (const answer of [await post(calling.handler, '/export/dump', { callbackUrl: url }), await post(calling.handler, query, {}), await calling.handler(new Request(`http://localhost${query}`))]) {
        const text = await answer.text()
        expect([url, answer.status, (JSON.parse(text) as { readonly code: string }).code]).toEqual([url, 422, 'CALLBACK_REFUSED'])
        expect(text).not.toContain('canary')
      }
    }
    expect(await calling.exporter.list()).toEqual([])
    expect(connections).toBe(0)
  })

  it('is called where it is allowed, so that the trap is one, and no redirect is followed', async () => {
    await using world = await makeWorld()
    await using calling = makeCalling(world, { allowedOrigins: [`http://127.0.0.1:${port}`], secret: SECRETS.callback })
    const before = connections
    expect(await callback(calling, `http://127.0.0.1:${port}/canary`)).toEqual(['delivered', undefined, undefined])
    expect(connections).toBe(before + 1)
    expect(await callback(calling, `http://127.0.0.1:${port}/redirect`)).toEqual(['pending', 'CALLBACK_FAILED', '302'])
    // Of the second, one request at most: a kept connection may have served it.
    expect(connections).toBeLessThanOrEqual(before + 2)
  })

  it('is not connected to where an allowed name leads inside', async () => {
    await using world = await makeWorld()
    await using calling = makeCalling(world, { allowedOrigins: [`http://localhost:${port}`, `http://127.0.0.1:${port}`, `http://[::1]:${port}`], secret: SECRETS.callback, fetch: guardedFetch() })
    const before = connections
    for (const host of ['localhost', '127.0.0.1', '[::1]']) expect([host, await callback(calling, `http://${host}:${port}/canary`)]).toEqual([host, ['failed', 'CALLBACK_REFUSED', undefined]])
    expect(connections).toBe(before)
  })

  it('is no source unless code says so', async () => {
    await using world = await makeWorld()
    await using replicator = new Replicator({ target: nodeSqliteTarget({ path: join(world.folder, 'other.db') }), retry: { attempts: 1 } })
    const before = connections
    const refuse = (): never => { throw new TidemarkError('CONFIG_INVALID', 'That host is not allowed.') }
    const handlers = [
      createHandler({ authorize: () => true, replicator }),
      createHandler({ authorize: () => true, replicator, sources: { app: nodeSqliteSource({ path: join(world.folder, 'app.db') }), picky: refuse } }),
    ]
    let asked = 0
    for (const handler of handlers) {
      for (const host of HOSTS) {
        const places = [{ host, port }, { connectionString: `postgres://u:p@${host}:${port}/canary` }, { host, connectionString: `mysql://${host}:${port}/canary` }]
        for (const dialect of ['app', 'picky', 'postgresql', '__proto__', 'constructor']) {
          for (const place of places) {
            const answer = await post(handler, '/data-replication/configure', { name: 'x', sourceConfig: { dialect, ...place }, sourceTable: 'x', targetTable: 'x' })
            const text = await answer.text()
            expect([host, dialect, answer.status, (JSON.parse(text) as { readonly code: string }).code]).toEqual([host, dialect, 400, 'CONFIG_INVALID'])
            expect(text).not.toContain('canary')
            asked += 1
          }
        }
      }
    }
    expect(asked).toBe(2 * HOSTS.length * 15)
    expect(await replicator.status()).toEqual([])
    expect(connections).toBe(before)
  })
})
