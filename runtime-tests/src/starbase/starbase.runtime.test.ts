import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Propagator, type PeerFetch, type PropagatorOptions } from '@tidemark/core'
import { sqliteChanges } from '@tidemark/node'
import { starbasePeer, type StarbasePeerOptions } from '@tidemark/sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { exactRows } from './exact-rows.ts'
import { startInstance, TOKEN, type Instance } from './instance.ts'

let instance: Instance
let folder: string
let database: DatabaseSync
let name = ''
let count = 0
const opened: AsyncDisposable[] = []

beforeAll(async () => {
  instance = await startInstance()
})
afterAll(() => instance[Symbol.asyncDispose]())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-starbase-'))
  database = new DatabaseSync(join(folder, 'a'))
  database.exec('PRAGMA journal_mode = WAL')
  name = `db${count += 1}`
})
afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) await resource[Symbol.asyncDispose]()
  database.close()
  await rm(folder, { recursive: true })
})

interface Given extends Partial<StarbasePeerOptions> {
  readonly propagator?: Partial<PropagatorOptions>
}

/** All tables of the file to the instance. */
function propagate(tables: readonly string[], { propagator, ...options }: Given = {}): Propagator {
  const fetch: PeerFetch = (url, init) => instance.send(name, { url, ...init })
  const peer = starbasePeer({ url: 'http://localhost', token: TOKEN, name: 'star', fetch, ...options })
  const made = new Propagator({ source: sqliteChanges({ path: join(folder, 'a') }, { tables }), origin: 'a', peers: [peer], ...propagator })
  opened.push(made)
  return made
}

async function on(...statements: string[]): Promise<void> {
  for (const sql of statements) await instance.query(name, sql)
}

async function expectSame(table: string, columns: readonly string[]): Promise<void> {
  const sql = exactRows(table, columns)
  const here = JSON.parse(JSON.stringify(database.prepare(sql).all())) as unknown // as it travels
  expect(await instance.query(name, sql)).toEqual(here)
}

function lastCode(propagator: Propagator): string | undefined {
  return propagator.status().peers[0]?.lastError?.code
}

const SCHEMA = 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, score REAL, photo BLOB, whatever)'
const COLUMNS = ['id', 'name', 'score', 'photo', 'whatever']

describe('a stock StarbaseDB instance', () => {
  it('gets every value exactly', async () => {
    database.exec(`${SCHEMA}; INSERT INTO users VALUES (-9223372036854775808, 'é😀"\\''', 0.1, x'', 9223372036854775807), (9007199254740993, CAST(x'610062' AS TEXT), 5e-324, x'00ff7f', 1.0),
      (1, '', -9e999, NULL, 1), (2, '$', 1.7976931348623157e308, x'00', 9e999), (3, '[1]', 3, zeroblob(300000), '9007199254740993'), (4, '{"b":"00"}', 1e22, NULL, 0.1), (5, CAST(x'00' AS TEXT), -0.0, NULL, x'31')`)
    await on(SCHEMA)
    const propagator = propagate(['users'])
    await propagator.flush()
    await expectSame('users', COLUMNS)
    const insert = database.prepare('INSERT INTO users (id, score, whatever) VALUES (?, ?, ?)')
    for (let id = 10; id < 60; id += 1) insert.run(id, 1 / id, 10 ** (id * 10 - 340) / 3)
    database.exec(`UPDATE users SET whatever = -0.1 WHERE id = 1; DELETE FROM users WHERE id = 9007199254740993; UPDATE users SET id = 70 WHERE id = 2; REPLACE INTO users (id, name) VALUES (3, 'new')`)
    expect(await propagator.flush()).toMatchObject({ reached: ['star'] })
    await expectSame('users', COLUMNS)
  })

  it('gets keys of every kind', async () => {
    const schema = 'CREATE TABLE keys (a, b TEXT COLLATE NOCASE, v, PRIMARY KEY (a, b)) WITHOUT ROWID'
    database.exec(`${schema}; INSERT INTO keys VALUES ('5', 'a', 1), (5, 'a', 2), (x'35', 'a', 3), (5.5, 'a', 4)`)
    await on(schema)
    const propagator = propagate(['keys'])
    await propagator.flush()
    database.exec(`DELETE FROM keys WHERE a = 5; UPDATE keys SET b = 'A', v = 9 WHERE a = '5'; DELETE FROM keys WHERE a = x'35'`)
    await propagator.flush()
    await expectSame('keys', ['a', 'b', 'v'])
  })

  it('gets as many columns as it can have', async () => {
    const columns = ['id', ...Array.from({ length: 99 }, (_, index) => `a column with a long name, and a "?" in it: ${index}`)]
    const schema = `CREATE TABLE "wi?de" (id INTEGER PRIMARY KEY, ${columns.slice(1).map((column) => `"${column.replaceAll('"', '""')}"`).join(', ')})`
    database.exec(`${schema}; INSERT INTO "wi?de" VALUES (1, ${columns.slice(1).map((_, index) => index / 7).join(', ')})`)
    await on(schema)
    const propagator = propagate(['wi?de'])
    await propagator.flush()
    database.exec(`INSERT INTO "wi?de" SELECT 2, ${columns.slice(1).map((column) => `"${column.replaceAll('"', '""')}" * 3`).join(', ')} FROM "wi?de"`)
    expect(await propagator.flush()).toMatchObject({ reached: ['star'] })
    const sum = `SELECT count(*) AS n, ${columns.slice(-3).map((column, index) => `sum("${column.replaceAll('"', '""')}") AS s${index}`).join(', ')} FROM "wi?de"`
    expect(await instance.query(name, sum)).toEqual(database.prepare(sum).all())
  })

  it('applies a transaction that needs several requests as one', async () => {
    database.exec(SCHEMA)
    await on(SCHEMA)
    const propagator = propagate(['users'], { propagator: { batch: { rows: 40 } } })
    await propagator.flush()
    database.exec('INSERT INTO users (id, photo) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i, randomblob(20000) FROM n')
    expect(await propagator.flush()).toMatchObject({ reached: ['star'] })
    await expectSame('users', COLUMNS)
    expect(await instance.query(name, 'SELECT (SELECT count(*) FROM tmp_tidemark_peer_parts) + (SELECT count(*) FROM tmp_tidemark_batch_pieces) AS left_over')).toEqual([{ left_over: 0 }])
  })

  it('is not written to by a stale request, nor twice, nor in part', async () => {
    for (let seed = 1; seed <= 6; seed += 1) await survive(seed)
  }, 120_000)

  it('tells what is wrong with it', async () => {
    database.exec(SCHEMA)
    await on(SCHEMA)
    const answers = (status: number, body: string): PeerFetch => () => Promise.resolve({ status, text: () => Promise.resolve(body) })
    const cases: readonly [string, Given][] = [
      ['PEER_AUTH_FAILED', { token: 'another' }], ['PEER_AUTH_FAILED', { fetch: answers(401, '{"error":"Unauthorized request"}') }],
      ['PEER_TOO_LARGE', { fetch: answers(413, '<html>') }], ['PEER_BUSY', { fetch: answers(429, '') }], ['PEER_BUSY', { fetch: answers(502, '<html>') }],
      ['PEER_BUSY', { fetch: answers(500, '{"error":"Network connection lost."}') }], ['PEER_BUSY', { fetch: answers(400, '{"error":"Durable Object is overloaded."}') }],
      ['PEER_ANSWER_INVALID', { fetch: answers(200, '<html>') }], ['PEER_ANSWER_INVALID', { fetch: answers(200, '{"result":[]}') }], ['PEER_ANSWER_INVALID', { fetch: answers(302, '') }],
      ['PEER_UNREACHABLE', { fetch: () => Promise.reject(new TypeError('letmein')) }], ['TARGET_FULL', { fetch: answers(500, '{"error":"database or disk is full: SQLITE_FULL"}') }],
    ]
    for (const [code, given] of cases) {
      const propagator = propagate(['users'], given)
      await propagator.flush()
      expect([code, given.fetch?.toString(), lastCode(propagator)]).toEqual([code, given.fetch?.toString(), code])
      expect(JSON.stringify(propagator.status())).not.toMatch(/letmein|ABC123|another/)
      await propagator.stop()
    }
  })

  it('may hang, and goes on when it does no more', async () => {
    database.exec(`${SCHEMA}; INSERT INTO users (id) VALUES (1)`)
    await on(SCHEMA)
    const state = { hangs: true }
    const hanging: PeerFetch = (url, init) => (state.hangs ? new Promise((_, reject) => init.signal.addEventListener('abort', () => reject(new Error('aborted')))) : instance.send(name, { url, ...init }))
    const propagator = propagate(['users'], { fetch: hanging, propagator: { timeoutMs: 3_000, retry: { baseMs: 1, maxMs: 1 } } })
    await propagator.flush()
    expect(lastCode(propagator)).toBe('PEER_UNREACHABLE')
    state.hangs = false
    await flushed(propagator)
    await expectSame('users', COLUMNS)
  })
})

describe('a table of an instance', () => {
  it('is refused by itself where it has triggers, another shape, rows of its own or a constraint that is in the way', async () => {
    database.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, v); CREATE TABLE b (id INTEGER PRIMARY KEY, v); CREATE TABLE c (id INTEGER PRIMARY KEY, v); CREATE TABLE d (id INTEGER PRIMARY KEY, v); CREATE TABLE e (id INTEGER PRIMARY KEY, v); CREATE TABLE f (id INTEGER PRIMARY KEY, v)')
    await on(
      'CREATE TABLE a (id INTEGER PRIMARY KEY, v)', 'CREATE TRIGGER at AFTER INSERT ON a BEGIN DELETE FROM c; END', 'CREATE TABLE b (id INTEGER PRIMARY KEY, v TEXT)', 'CREATE TABLE c (id INTEGER PRIMARY KEY, v)',
      'INSERT INTO c VALUES (9, 9)', 'CREATE TABLE d (id INTEGER PRIMARY KEY, v CHECK (v IS NULL OR v < 100))', 'CREATE TABLE e (id INTEGER PRIMARY KEY, v)',
    )
    const propagator = propagate(['a', 'b', 'c', 'd', 'e', 'f'])
    await propagator.flush()
    database.exec('BEGIN; INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1); INSERT INTO c VALUES (1, 1); INSERT INTO d VALUES (1, 100); INSERT INTO e VALUES (1, 1); COMMIT')
    expect(await propagator.flush()).toMatchObject({ reached: ['star'] })
    await expectSame('e', ['id', 'v'])
    const { tables } = propagator.status().peers[0] ?? {}
    expect(Object.entries(tables ?? {}).map(([table, state]) => [table, state.state === 'refused' && state.error.code]).toSorted()).toEqual([
      ['a', 'PEER_SCHEMA_DIFFERS'], ['b', 'PEER_SCHEMA_DIFFERS'], ['c', 'PEER_NOT_EMPTY'], ['d', 'TARGET_CONSTRAINT'], ['f', 'PEER_SCHEMA_DIFFERS'],
    ])
    expect(await instance.query(name, 'SELECT id FROM c')).toEqual([{ id: 9 }])
  })

  it('that is dropped keeps no other from being written', async () => {
    database.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, v); CREATE TABLE b (id INTEGER PRIMARY KEY, v)')
    await on('CREATE TABLE a (id INTEGER PRIMARY KEY, v)', 'CREATE TABLE b (id INTEGER PRIMARY KEY, v)')
    const propagator = propagate(['a', 'b'])
    await propagator.flush()
    database.exec('INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1)')
    await propagator.flush()
    await on('DROP TABLE a')
    database.exec('INSERT INTO b VALUES (2, 2); INSERT INTO a VALUES (2, 2); INSERT INTO b VALUES (3, 3)')
    expect(await propagator.flush()).toMatchObject({ reached: ['star'] })
    await expectSame('b', ['id', 'v'])
    expect(propagator.status().peers[0]?.tables).toMatchObject({ a: { state: 'refused', error: { code: 'PEER_SCHEMA_DIFFERS' } } })
  })

  it('is made, filled after those that it refers to, and loses rows that are not the sender\'s, where that is wanted', async () => {
    database.exec('CREATE TABLE a_child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES z_parent (id) ON DELETE CASCADE); CREATE TABLE z_parent (id INTEGER PRIMARY KEY, v); CREATE TABLE made (k TEXT PRIMARY KEY NOT NULL, v INT)')
    database.exec(`INSERT INTO z_parent VALUES (1, 'x'), (2, 'y'); INSERT INTO a_child VALUES (1, 1), (2, 1), (3, 2); INSERT INTO made VALUES ('k', 5)`)
    await on('CREATE TABLE z_parent (id INTEGER PRIMARY KEY, v)', 'CREATE TABLE a_child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES z_parent (id) ON DELETE CASCADE)', `INSERT INTO z_parent VALUES (1, 'old'), (7, 'old')`, 'INSERT INTO a_child VALUES (1, 7), (8, 1)')
    const propagator = propagate(['a_child', 'z_parent', 'made'], { replacesRows: true, followsSchema: true, refusesLocalWrites: true, propagator: { batch: { rows: 1 } } })
    expect(await propagator.flush()).toMatchObject({ reached: ['star'] })
    database.exec(`PRAGMA foreign_keys = ON; DELETE FROM z_parent WHERE id = 1; INSERT INTO a_child VALUES (9, NULL); UPDATE z_parent SET v = 'z'`)
    expect(await propagator.flush()).toMatchObject({ reached: ['star'] })
    for (const [table, ...columns] of [['a_child', 'id', 'parent'], ['z_parent', 'id', 'v'], ['made', 'k', 'v']] as const) await expectSame(table, columns)
    await expect(instance.query(name, 'DELETE FROM made')).rejects.toThrow('takes changes from its origin only')
  })

  it('gets each change once where two instances pass on what a third has written', async () => {
    const paths = ['b', 'c'].map((file) => join(folder, file))
    database.exec(`${SCHEMA}; INSERT INTO users (id, name) VALUES (1, 'from a')`)
    await on(SCHEMA)
    const { nodeSqlitePropagationTarget } = await import('@tidemark/node')
    const { sqlPeer } = await import('@tidemark/core')
    for (const path of paths) new DatabaseSync(path).exec(`PRAGMA journal_mode = WAL; ${SCHEMA}`)
    const fetch: PeerFetch = (url, init) => instance.send(name, { url, ...init })
    const star = () => starbasePeer({ url: 'http://localhost', token: TOKEN, name: 'star', fetch })
    const first = propagate(['users'], { propagator: { peers: paths.map((path, index) => sqlPeer(nodeSqlitePropagationTarget({ path }), { name: ['b', 'c'][index] ?? '' })) } })
    await first.flush()
    const second = paths.map((path, index) => new Propagator({ source: sqliteChanges({ path }, { tables: ['users'] }), origin: ['b', 'c'][index] ?? '', snapshot: index === 0, peers: [star()] }))
    opened.push(...second)
    for (const one of second) await one.flush()
    database.exec(`UPDATE users SET name = 'again'; INSERT INTO users (id) VALUES (2)`)
    await first.flush()
    for (const one of second) expect(await one.flush()).toMatchObject({ reached: ['star'] })
    await expectSame('users', COLUMNS)
  })
})

/** Flushes until the peer has everything, as a propagator in the background would. */
async function flushed(propagator: Propagator): Promise<void> {
  for (;;) {
    const { behind, nextAtMs } = await propagator.flush()
    if (behind.length === 0) return
    if (nextAtMs !== undefined) await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextAtMs - Date.now())))
  }
}

/** Writes at random while requests get lost on the way there and back, end between two of their statements, come twice and come much too late. */
async function survive(seed: number): Promise<void> {
  const random = randomOf(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  name = `seed${seed}`
  const file = join(folder, name)
  const source = new DatabaseSync(file)
  source.exec(`PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, u INTEGER UNIQUE, v); INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b')`)
  await on('CREATE TABLE t (id INTEGER PRIMARY KEY, u INTEGER UNIQUE, v)')
  const late: (() => Promise<unknown>)[] = []
  const fetch: PeerFetch = async (url, init) => {
    const send = (cutBefore?: number) => instance.send(name, { url, ...init }, cutBefore === undefined ? {} : { cutBefore })
    const fate = random()
    if (fate < 0.06) throw new Error('lost on the way there')
    if (fate < 0.12) return send(below(6))
    if (fate < 0.2) await Promise.all([send(), send(below(6))])
    if (random() < 0.3) await late[below(late.length)]?.()
    late.push(() => send())
    const answer = await send()
    if (fate > 0.94) throw new Error('lost on the way back')
    return answer
  }
  const peer = starbasePeer({ url: 'http://localhost', token: TOKEN, name: 'star', fetch })
  const propagator = new Propagator({ source: sqliteChanges({ path: file }, { tables: ['t'] }), origin: 'a', peers: [peer], batch: { rows: 3 }, retry: { baseMs: 1, maxMs: 1 }, breaker: { failures: 1_000_000, cooldownMs: 1 } })
  for (let step = 0; step < 16; step += 1) {
    source.exec('BEGIN')
    for (let write = below(6); write >= 0; write -= 1) source.exec(statementOf(below, step))
    source.exec(below(6) === 0 ? 'ROLLBACK' : 'COMMIT')
    if (below(2) === 0) await propagator.flush()
  }
  await flushed(propagator)
  for (let again = 0; again < 10; again += 1) await late[below(late.length)]?.()
  await propagator[Symbol.asyncDispose]()
  const sql = exactRows('t', ['id', 'u', 'v'])
  const rows = JSON.parse(JSON.stringify(source.prepare(sql).all())) as unknown // as it travels
  source.close()
  expect([seed, await instance.query(name, sql)]).toEqual([seed, rows])
}

function statementOf(below: (limit: number) => number, step: number): string {
  const [one, other] = [1 + below(8), 1 + below(8)]
  const statements = [
    `INSERT OR REPLACE INTO t VALUES (${one}, ${other}, 's${step}')`, `INSERT OR IGNORE INTO t VALUES (${one}, ${other}, x'0${below(9)}')`, `DELETE FROM t WHERE id = ${one}`,
    `UPDATE OR REPLACE t SET id = ${other} WHERE id = ${one}`, `UPDATE OR IGNORE t SET u = ${other}, v = ${one} / 3.0 WHERE id = ${one}`,
    `UPDATE t SET u = -u; UPDATE t SET u = CASE -u WHEN ${one} THEN ${other} WHEN ${other} THEN ${one} ELSE -u END`,
  ]
  return statements[below(statements.length)] ?? ''
}

/** A small generator, so that a seed says all (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
