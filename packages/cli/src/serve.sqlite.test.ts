import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { Exporter } from '@tidemark/core'
import { fsStorage, nodeSqlite, nodeSqliteStateStore } from '@tidemark/node'
import { spawnCli, type RunningCli } from './test/spawn-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-serve-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const CONFIG = fileURLToPath(new URL('test/serve.config.ts', import.meta.url))
const TOKEN = 'canary-admin-token'
const headers = { authorization: `Bearer ${TOKEN}` }

const app = new DatabaseSync(join(folder, 'app.db'))
app.exec(`PRAGMA journal_mode = WAL; CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, 'ada'), (2, 'bob')`)
afterAll(() => app.close())

function start(...args: readonly string[]): RunningCli {
  return spawnCli(['serve', '--config', CONFIG, '--port', '0', '--json', ...args], { FOLDER: folder, ADMIN_TOKEN: TOKEN })
}

it('serves a configuration until it is stopped, and goes on with what was under way', async () => {
  const state = nodeSqliteStateStore({ path: join(folder, 'state.db') })
  const before = new Exporter({ source: nodeSqlite({ path: join(folder, 'app.db') }), storage: fsStorage(join(folder, 'dumps'), { create: true }), state, instance: 'serve' })
  const { id } = await before.start()
  await before[Symbol.asyncDispose]()
  await state[Symbol.asyncDispose]()
  const cli = start()
  const { url } = await cli.seen(({ type }) => type === 'listening') as { readonly url: string }
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/data\/$/)
  expect((await fetch(url)).status).toBe(401)
  expect(await (await fetch(url, { headers })).text()).toContain('<title>Tidemark</title>')
  expect(await (await fetch(`${url}data-replication/sync/users`, { method: 'POST', headers })).json()).toMatchObject({ success: true })
  await expect.poll(async () => (await (await fetch(`${url}export/status/${id}`, { headers })).json() as { status: string }).status, { timeout: 10_000 }).toBe('completed')
  const feed = await fetch(`${url}changes`, { headers })
  expect(feed.status).toBe(200)
  const socket = new WebSocket(`${url.replace('http', 'ws')}changes/socket`, ['tidemark.v1', `tidemark.token.${Buffer.from(TOKEN).toString('base64url')}`])
  const closed = new Promise<number>((resolve) => { socket.addEventListener('close', ({ code }) => resolve(code)) })
  await new Promise((resolve) => { socket.addEventListener('message', resolve, { once: true }) })
  // Under way for hours, and no reason to stay.
  const long = await fetch(`${url}export/dump`, { method: 'POST', headers: { ...headers, 'prefer': 'respond-async', 'content-type': 'application/json' }, body: '{"pauseMs":10000000}' })
  expect(long.status).toBe(202)
  cli.process.kill('SIGTERM')
  const { code, stdout, stderr } = await cli.finished
  expect([code, stderr]).toEqual([130, ''])
  expect(await closed).toBe(1_001)
  expect(stdout).not.toContain('canary')
  await feed.body?.cancel().catch(() => undefined)
})

it('leaves clients that send their headers drop by drop, and answers others meanwhile', async () => {
  const cli = start()
  const { url } = await cli.seen(({ type }) => type === 'listening') as { readonly url: string }
  const slow = Array.from({ length: 50 }, async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write('GET /data/health HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    const timer = setInterval(() => socket.write('a'), 100)
    let answer = ''
    socket.on('data', (bytes) => { answer += String(bytes) })
    await once(socket, 'close')
    clearInterval(timer)
    return answer
  })
  expect((await fetch(`${url}health`, { headers })).status).toBe(200)
  for (const answer of await Promise.all(slow)) expect(answer).toMatch(/^(HTTP\/1.1 408 |$)/)
  cli.process.kill('SIGTERM')
  expect((await cli.finished).code).toBe(130)
})

it('says what is wrong with its options or its file, and ends with 2', async () => {
  const noAuthorize = join(folder, 'no-authorize.mjs')
  writeFileSync(noAuthorize, 'export default { basePath: "/data" }')
  const noDefault = join(folder, 'no-default.mjs')
  writeFileSync(noDefault, 'export const config = {}')
  const wrong: readonly (readonly [args: readonly string[], says: string])[] = [
    [['--config', join(folder, 'missing.mjs')], '--config'], [['--config', noDefault], '--config'], [['--config', noAuthorize], 'authorize'], [['--port', '70000', '--config', noAuthorize], '--port'], [['--colour', 'red'], '--colour'],
  ]
  for (const [args, says] of wrong) {
    const { code, stderr } = await spawnCli(['serve', ...args]).finished
    expect([args, code]).toEqual([args, 2])
    expect(stderr).toContain(says)
  }
})

it('does not share a port', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => { other.listen(0, '127.0.0.1', resolve) })
  const { port } = other.address() as AddressInfo // it listens on a port
  const { code, lines } = await spawnCli(['serve', '--config', CONFIG, '--port', String(port), '--json'], { FOLDER: folder, ADMIN_TOKEN: TOKEN }).finished
  other.close()
  expect([code, lines[0]]).toEqual([2, expect.objectContaining({ type: 'error', code: 'CONFIG_INVALID', detail: 'EADDRINUSE' })])
})
