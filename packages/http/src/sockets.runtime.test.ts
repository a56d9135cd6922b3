import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { followSocket, type FollowedSocket } from './test/follow-socket.ts'

let runtime: Miniflare
let url: string
beforeAll(async () => {
  // Workers have a default export, and this repository none. Bundled as an application would bundle it: without Node's modules.
  const contents = `export * from './socket-worker.ts'; export { worker as default } from './socket-worker.ts'`
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('test', import.meta.url)) }, bundle: true, format: 'esm', target: 'es2022', platform: 'neutral', conditions: ['tidemark-source'], mainFields: ['module', 'main'], write: false,
  })
  runtime = new Miniflare({ modules: true, script: outputFiles[0]?.text ?? '', compatibilityDate: '2026-07-01', durableObjects: { OBJECTS: { className: 'FeedObject', useSQLite: true } } })
  url = (await runtime.ready).origin
})
afterAll(() => runtime.dispose())

const token = 'operate-token'
const write = async (body: string): Promise<void> => { await (await fetch(`${url}/write?body=${body}`)).text() }
const bodiesOf = async (feed: FollowedSocket, count: number): Promise<readonly unknown[]> => (await feed.take('change', count)).map(({ data }) => (data as { readonly after: { readonly body: unknown } }).after.body)

it('are followed in a Durable Object, and gone on with after it was evicted', async () => {
  const protocols = ['tidemark.v1', `tidemark.token.${btoa(token).replaceAll('=', '')}`]
  const first = await followSocket(`${url}/changes/socket`, { protocols, headers: { origin: url } })
  expect(first.socket.protocol).toBe('tidemark.v1')
  await first.take('checkpoint', 1)
  await write('one')
  const [change] = await first.take('change', 1)
  expect(change?.data).toMatchObject({ op: 'insert', after: { body: 'one' } })
  await first.take('ping', 2)
  await fetch(`${url}/abort`).then((answer) => answer.text())
  expect((await first.closed)[0]).toBe(1_006)
  await write('two')
  const second = await followSocket(`${url}/changes/socket?lastEventId=${change?.id ?? ''}`, { token })
  await write('three')
  expect(await bodiesOf(second, 2)).toEqual(['two', 'three'])
  second.socket.close()
  await second.closed
})

it('are refused in a Durable Object as elsewhere', async () => {
  await expect(followSocket(`${url}/changes/socket`)).rejects.toThrow('401')
  await expect(followSocket(`${url}/changes/socket`, { token, headers: { origin: 'https://evil.example' } })).rejects.toThrow('403')
  expect((await fetch(`${url}/changes/socket`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(426)
  const silent = await followSocket(`${url}/changes/socket`, { token, answers: false })
  expect(await silent.closed).toEqual([4_408, 'A ping was not answered.'])
  const missing = await followSocket(`${url}/changes/socket?tables=missing`, { token })
  expect(await missing.closed).toEqual([4_404, 'TABLE_UNKNOWN'])
})
