import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
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
  // Of a process of another name, which was killed a moment ago.
  const stored = await state.get(`export/${id}`)
  await state.set(`export/${id}`, JSON.stringify({ ...JSON.parse(stored?.value ?? '') as object, lease: { owner: 'killed', untilMs: Date.now() + 10_000 } }), stored?.version)
  await state[Symbol.asyncDispose]()
  const cli = start()
  const { url } = await cli.seen(({ type }) => type === 'listening') as { readonly url: string }
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/data\/$/)
  expect((await fetch(url)).status).toBe(401)
  expect(await (await fetch(url, { headers })).text()).toContain('<title>Tidemark</title>')
  expect(await (await fetch(`${url}data-replication/sync/users`, { method: 'POST', headers })).json()).toMatchObject({ success: true })
  await expect.poll(async () => (await (await fetch(`${url}export/status/${id}`, { headers })).json() as { status: string }).status, { timeout: 30_000 }).toBe('completed')
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
}, 60_000)

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
    // Reset is closed, too.
    await new Promise((resolve) => { socket.once('close', resolve) })
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

const IMPORTS = `
import { httpPeer, Replicator } from ${JSON.stringify(import.meta.resolve('@tidemark/core'))}
import { bearerTokens } from ${JSON.stringify(import.meta.resolve('@tidemark/http'))}
import { nodeSqlite, nodeSqliteSource, nodeSqliteStateStore, nodeSqliteTarget, fsStorage, sqliteChanges } from ${JSON.stringify(import.meta.resolve('@tidemark/node'))}
const at = (name) => ({ path: process.env.FOLDER + '/' + name })
`

function configFile(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

async function refused(file: string, environment: Readonly<Record<string, string>> = { FOLDER: folder }): Promise<{ readonly stdout: string; readonly error: Record<string, unknown> }> {
  const { code, stdout, stderr, lines } = await spawnCli(['serve', '--config', file, '--port', '0', '--json'], environment).finished
  expect([file, code, stderr.replaceAll(/.*ExperimentalWarning.*|.*--trace-warnings.*/g, '').trim(), lines.length]).toEqual([file, 2, '', 1])
  return { stdout, error: lines[0] ?? {} }
}

it('says everything that is wrong with a configuration at once, before anything is opened', async () => {
  const { error } = await refused(configFile('faults.mjs', `${IMPORTS}
export default () => ({
  basepath: '/data', maxBodyBytes: 0, changes: { heartbeatMs: 'often', maxFeed: 2 }, waitUntil: 'wrong',
  replicator: { target: nodeSqliteTarget(at('never.db')), concurency: 2, replications: [{ name: 'users', source: nodeSqliteSource(at('never.db')), sourceTable: 'users', trackingColum: 'id' }] },
  exporter: { source: nodeSqlite(at('never.db')), state: nodeSqliteStateStore(at('never-state.db')), callbacks: { allowedOrigin: [] } },
  importer: { target: nodeSqlite(at('never.db')), source: fsStorage(process.env.FOLDER + '/never') },
  streams: { app: { source: sqliteChanges(at('never.db')), onGab: 'fail' }, other: { name: 'x' } },
  propagator: { origin: 'a b', source: sqliteChanges(at('never.db')), peers: [] },
})`))
  expect(error).toMatchObject({ type: 'error', code: 'CONFIG_INVALID', message: 'The configuration has 15 faults.' })
  expect((error['issues'] as readonly { option: string; message: string }[]).map(({ option, message }) => `${option}: ${message}`).toSorted()).toEqual([
    expect.stringMatching(/^authorize: Must be a function that says who may do what, such as /),
    'basepath: Is not an option. Did you mean `basePath`?',
    'changes.heartbeatMs: Must be number.',
    'changes.maxFeed: Is not an option. Did you mean `maxFeeds`?',
    'exporter.callbacks.allowedOrigin: Is not an option. Did you mean `allowedOrigins`?',
    'exporter.callbacks.allowedOrigins: Must be a list of origins.',
    'exporter.storage: Must be a storage, such as fsStorage(folder).',
    'maxBodyBytes: Must be at least 1.',
    'propagator.origin: Must be 1 to 63 letters, digits, dots, dashes or underscores.',
    'propagator.peers: Must have a peer.',
    'replicator.concurency: Is not an option. Did you mean `concurrency`?',
    'replicator.replications[0].trackingColum: Is not an option. Did you mean `trackingColumn`?',
    'streams.app.onGab: Is not an option. Did you mean `onGap`?',
    'streams.other.source: Must be given, or `sources`.',
    'waitUntil: Is not an option here: this process stays.',
  ])
  expect(readdirSync(folder).filter((name) => name.startsWith('never'))).toEqual([])
  const people = await spawnCli(['serve', '--config', join(folder, 'faults.mjs')], { FOLDER: folder }).finished
  expect([people.code, people.stderr]).toEqual([2, expect.stringContaining('  streams.app.onGab: Is not an option. Did you mean `onGap`?\n')])
})

it('makes what is given as options, and serves it', async () => {
  const file = configFile('options.mjs', `${IMPORTS}
export default Promise.resolve({
  authorize: bearerTokens({ admin: { env: 'ADMIN_TOKEN' } }),
  replicator: { target: nodeSqliteTarget(at('options-replica.db')), replications: [{ name: 'users', source: nodeSqliteSource(at('app.db')), sourceTable: 'users' }] },
  exporter: { source: nodeSqlite(at('app.db')), storage: fsStorage(process.env.FOLDER + '/options-dumps', { create: true }), state: nodeSqliteStateStore(at('options-state.db')) },
  importer: { target: nodeSqlite(at('options-imported.db')), source: fsStorage(process.env.FOLDER + '/options-dumps', { create: true }) },
  streams: { source: sqliteChanges(at('app.db'), { tables: ['users'] }) },
  propagator: { origin: 'here', source: sqliteChanges(at('app.db'), { tables: ['users'] }), peers: [httpPeer({ url: 'https://nobody.invalid/propagate', token: 'x', name: 'there' })] },
})`)
  const cli = spawnCli(['serve', '--config', file, '--port', '0', '--json'], { FOLDER: folder, ADMIN_TOKEN: TOKEN })
  const { url } = await cli.seen(({ type }) => type === 'listening') as { readonly url: string }
  const session = await (await fetch(`${url}session`, { headers })).json()
  expect(session).toMatchObject({ capabilities: ['replicator', 'exporter', 'importer', 'streams', 'propagator'], streams: ['default'] })
  expect(await (await fetch(`${url}data-replication/sync/users`, { method: 'POST', headers })).json()).toMatchObject({ success: true })
  cli.process.kill('SIGTERM')
  expect((await cli.finished).code).toBe(130)
})

it('says where a file can not be used, by code, and quotes nothing of it', async () => {
  const wrong: readonly (readonly [name: string, text: string, message: RegExp, detail: string])[] = [
    ['syntax.mjs', 'export default {\n  password: "canary",,\n}', /throws SyntaxError\.$/, 'SyntaxError'],
    ['syntax.ts', 'const password: string = "canary"\nexport default { password: : 1 }', /throws SyntaxError ERR_INVALID_TYPESCRIPT_SYNTAX, in line 2\.$/, 'ERR_INVALID_TYPESCRIPT_SYNTAX'],
    ['enum.ts', 'enum Canary { canary }\nexport default { Canary }', /throws SyntaxError ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX, in line 1\.$/, 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'],
    ['throws.mjs', 'export default () => {\n  throw new Error("postgres://user:canary@host:5432/x:77")\n}', /throws Error, in line 2/, 'Error'],
    ['rejects.mjs', 'export default async () => {\n  await 1\n  return Promise.reject("canary")\n}', /throws string\.$/, 'string'],
    ['promise.mjs', 'export default Promise.reject(new TypeError("canary"))', /throws TypeError, in line 1/, 'TypeError'],
    ['import.mjs', 'import "./canary-is-not-there.mjs"', /throws Error ERR_MODULE_NOT_FOUND/, 'ERR_MODULE_NOT_FOUND'],
  ]
  await Promise.all(wrong.map(async ([name, text, message, detail]) => {
    const { stdout, error } = await refused(configFile(name, text))
    expect([name, error['code'], error['detail'], error['issues']]).toEqual([name, 'CONFIG_INVALID', detail, [{ option: '--config', message: expect.stringMatching(message) as unknown }]])
    expect([name, stdout.replaceAll('canary-is-not-there', '')]).toEqual([name, expect.not.stringContaining('canary')])
    expect(error['remedy']).toContain(`node ${join(folder, name)}`)
  }))
})

it('says what a file has to export, and what a constructor in it finds', async () => {
  const files = [['none.mjs', 'export const config = {}'], ['number.mjs', 'export default 3'], ['nothing.mjs', 'export default () => undefined'], ['null.mjs', 'export default Promise.resolve(null)']] as const
  await Promise.all(files.map(async ([name, text]) => {
    expect((await refused(configFile(name, text))).error['issues']).toEqual([{ option: '--config', message: expect.stringContaining('export default defineConfig') as unknown }])
  }))
  const { error } = await refused(configFile('constructor.mjs', `${IMPORTS}export default { replicator: new Replicator({ target: nodeSqliteTarget(at('never.db')), jiter: 1 }) }`))
  expect(error['issues']).toEqual([{ option: 'jiter', message: 'Is not an option. Did you mean `jitter`?' }])
})

it('does not share a port', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => { other.listen(0, '127.0.0.1', resolve) })
  const { port } = other.address() as AddressInfo // it listens on a port
  const { code, lines } = await spawnCli(['serve', '--config', CONFIG, '--port', String(port), '--json'], { FOLDER: folder, ADMIN_TOKEN: TOKEN }).finished
  other.close()
  expect([code, lines[0]]).toEqual([2, expect.objectContaining({ type: 'error', code: 'CONFIG_INVALID', detail: 'EADDRINUSE' })])
})
