import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createClient } from '@libsql/client'
import { TidemarkError } from '@tidemark/core/adapter'
import type { SqliteDriver, SqliteTransaction, SqliteValue } from '@tidemark/sqlite'
import Database from 'libsql'
import { afterEach, describe, expect, it } from 'vitest'
import { openDriver } from './open-driver.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()
const opened: SqliteDriver[] = []

afterEach(async () => {
  for (const driver of opened.splice(0)) await driver[Symbol.asyncDispose]()
})

type Open = (file: string) => Promise<SqliteDriver>

const openers: readonly (readonly [string, Open])[] = [
  ['libsql', (file) => openDriver({ url: `file:${file}`, busyTimeoutMs: 30 })],
  ['@libsql/client', async (file) => {
    const client = createClient({ url: `file:${file}`, intMode: 'bigint', timeout: 30, concurrency: 1 })
    const driver = await openDriver({ client })
    opened.push({ ...driver, [Symbol.asyncDispose]: () => Promise.resolve(client.close()) })
    return driver
  }],
]

async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work()
    return 'none'
  } catch (error) {
    return error instanceof TidemarkError ? error.code : String(error)
  }
}

/** A server's database that may be written to, such as `http://127.0.0.1:8080`; there is none to install from a registry. */
const serverUrl = process.env['TIDEMARK_TEST_LIBSQL_URL']
const server: readonly (readonly [string, Open])[] = serverUrl === undefined ? [] : [
  ['a server', () => openDriver({ url: serverUrl, authToken: process.env['TIDEMARK_TEST_LIBSQL_TOKEN'] })],
]

/** As the engine does, which has no door for it. */
async function runEach(transaction: SqliteTransaction, sql: string, lists: readonly (readonly SqliteValue[])[]): Promise<number> {
  if (transaction.runMany !== undefined) return transaction.runMany(sql, lists)
  let changed = 0
  for (const parameters of lists) changed += await transaction.run(sql, parameters)
  return changed
}

async function use(open: Open, file: string): Promise<SqliteDriver> {
  const driver = await open(file)
  opened.push(driver)
  return driver
}

describe.each([...openers, ...server])('a database by %s', (_name, open) => {
  const useEmpty = async (): Promise<SqliteDriver> => {
    const driver = await use(open, path('data.db'))
    for (const table of ['t', 'cells']) await driver.execute(`DROP TABLE IF EXISTS ${table}`)
    return driver
  }

  it('gives back integers of 64 bits, reals, texts, blobs and NULL with their storage class', async () => {
    const driver = await useEmpty()
    await driver.execute('CREATE TABLE cells (n INTEGER PRIMARY KEY, value)')
    const values = [9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n, 9_007_199_254_740_993n, 1n, 0.1, 1e300, 'é', '', new Uint8Array([0, 255]), new Uint8Array(), null]
    const changed = await driver.transaction(async (transaction) => {
      let sum = 0
      for (const [index, value] of values.entries()) sum += await transaction.run('INSERT INTO cells VALUES (?, ?)', [index, value])
      return sum
    })
    expect(changed).toBe(values.length)
    const rows = await driver.query('SELECT value, typeof(value) FROM cells ORDER BY n')
    const classes = ['integer', 'integer', 'integer', 'integer', 'real', 'real', 'text', 'text', 'blob', 'blob', 'null']
    expect(rows).toEqual(values.map((value, index) => [value === 1n ? 1 : value, classes[index]]))
  })

  it('counts the rows that a statement changed', async () => {
    const driver = await useEmpty()
    await driver.execute('CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)')
    const counts = await driver.transaction(async (transaction) => [
      await transaction.run('INSERT INTO t VALUES (?, ?), (?, ?), (?, ?)', [1, 'a', 2, 'b', 3, 'c']),
      await transaction.run('INSERT INTO t VALUES (?, ?) ON CONFLICT (a) DO UPDATE SET b = excluded.b WHERE b IS NOT excluded.b', [1, 'a']),
      await transaction.run('UPDATE t SET b = ? WHERE a > ?', ['z', 1]),
    ])
    expect(counts).toEqual([3, 0, 2])
  })

  it('rolls a transaction back when its work fails, and goes on', async () => {
    const driver = await useEmpty()
    await driver.execute('CREATE TABLE t (a INTEGER PRIMARY KEY)')
    const failing = driver.transaction(async (transaction) => {
      await transaction.run('INSERT INTO t VALUES (?)', [1])
      throw new RangeError('stop')
    })
    await expect(failing).rejects.toThrow('stop')
    expect(await driver.query('SELECT count(*) FROM t')).toEqual([[0]])
    await driver.transaction((transaction) => transaction.run('INSERT INTO t VALUES (?)', [2]))
    expect(await driver.query('SELECT a FROM t')).toEqual([[2]])
  })

  it('rolls back at a constraint', async () => {
    const driver = await useEmpty()
    await driver.execute('CREATE TABLE t (a INTEGER PRIMARY KEY)')
    const twice = driver.transaction(async (transaction) => {
      await transaction.run('INSERT INTO t VALUES (?)', [1])
      await transaction.run('INSERT INTO t VALUES (?)', [1])
    })
    await expect(twice).rejects.toMatchObject({ code: 'TARGET_CONSTRAINT' })
    expect(await driver.query('SELECT count(*) FROM t')).toEqual([[0]])
  })

  it('sends many lists at once and counts what all of them changed', async () => {
    const driver = await useEmpty()
    await driver.execute('CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)')
    const lists = Array.from({ length: 250 }, (_, index) => [index % 200, 'x'.repeat(10_000)])
    const changed = await driver.transaction((transaction) => runEach(transaction, 'INSERT INTO t VALUES (?, ?) ON CONFLICT DO NOTHING', lists))
    expect(changed).toBe(200)
    expect(await driver.query('SELECT count(*), sum(length(b)) FROM t')).toEqual([[200, 2_000_000]])
    const failing = driver.transaction((transaction) => runEach(transaction, 'INSERT INTO t VALUES (?, ?)', [[500, 'a'], [1, 'b'], [501, 'c']]))
    await expect(failing).rejects.toMatchObject({ code: 'TARGET_CONSTRAINT' })
    expect(await driver.query('SELECT count(*) FROM t')).toEqual([[200]])
  })
})

describe.each(openers)('a file by %s', (_name, open) => {
  it('keeps a setting from one call to the next, also into a transaction', async () => {
    const driver = await use(open, path('data.db'))
    await driver.execute('PRAGMA legacy_alter_table = ON')
    expect(await driver.transaction((transaction) => transaction.query('PRAGMA legacy_alter_table'))).toEqual([[1]])
    expect(await driver.query('PRAGMA legacy_alter_table')).toEqual([[1]])
  })

  it('is TARGET_BUSY while another connection writes', async () => {
    const driver = await use(open, path('data.db'))
    await driver.execute('CREATE TABLE t (a INTEGER PRIMARY KEY)')
    // The same library: two SQLites in one process do not see each other's locks.
    const other = new Database(path('data.db'), { timeout: 0 })
    other.exec('BEGIN IMMEDIATE')
    const write = (): Promise<number> => driver.transaction((transaction) => transaction.run('INSERT INTO t VALUES (1)'))
    expect(await codeOf(write)).toBe('TARGET_BUSY')
    other.exec('ROLLBACK')
    other.close()
    expect(await write()).toBe(1)
  })

  it('is TARGET_CORRUPT for a file that is no database', async () => {
    writeFileSync(path('text.db'), 'no database at all, but long enough to be read as the header of one'.repeat(20))
    expect(await codeOf(async () => (await use(open, path('text.db'))).query('SELECT * FROM sqlite_master'))).toBe('TARGET_CORRUPT')
  })

  it('is TARGET_READ_ONLY for a file that may not be written', async () => {
    using owner = new DatabaseSync(path('locked.db'))
    owner.exec('CREATE TABLE t (a INTEGER PRIMARY KEY)')
    owner.close()
    chmodSync(path('locked.db'), 0o444)
    chmodSync(dirname(path('locked.db')), 0o777)
    const code = await asOrdinaryUser(() => codeOf(async () => {
      await (await use(open, path('locked.db'))).transaction((transaction) => transaction.run('INSERT INTO t VALUES (1)'))
    }))
    expect(code).toBe('TARGET_READ_ONLY')
  })
})

describe('opening', () => {
  it('is TARGET_UNREACHABLE in a folder that does not exist', async () => {
    expect(await codeOf(() => openDriver({ url: `file:${path('missing/data.db')}` }))).toBe('TARGET_UNREACHABLE')
  })

  it('is TARGET_UNREACHABLE where no server listens', async () => {
    expect(await codeOf(() => openDriver({ url: 'http://127.0.0.1:1' }))).toBe('TARGET_UNREACHABLE')
    expect(await codeOf(() => openDriver({ url: 'ws://127.0.0.1:1' }))).toBe('TARGET_UNREACHABLE')
  })

  it('refuses a client that would round integers', async () => {
    const client = createClient({ url: ':memory:' })
    const asText = createClient({ url: ':memory:', intMode: 'string' })
    expect(await codeOf(() => openDriver({ client }))).toBe('CONFIG_INVALID')
    expect(await codeOf(() => openDriver({ client: asText }))).toBe('CONFIG_INVALID')
    client.close()
    asText.close()
  })

  it('is SECRET_MISSING when the token is not where it should be', async () => {
    expect(await codeOf(() => openDriver({ url: 'http://127.0.0.1:1', authToken: { env: 'TIDEMARK_TEST_NO_SUCH_TOKEN' } }))).toBe('SECRET_MISSING')
  })
})

describe('an image', () => {
  it('is read beside the database and detached after use', async () => {
    using image = new DatabaseSync(path('image.db'))
    image.exec('CREATE TABLE rows (a, b); INSERT INTO rows VALUES (1, \'x\'), (2, x\'00\')')
    image.close()
    const driver = await openDriver({ url: `file:${path('data.db')}` })
    opened.push(driver)
    await driver.execute('CREATE TABLE t (a INTEGER, b)')
    for (const round of [1, 2]) {
      const attached = await driver.attachImage?.(readFileSync(path('image.db')))
      expect(attached).toBeDefined()
      const copied = await driver.transaction((transaction) => transaction.run(`INSERT INTO t SELECT a, b FROM ${attached?.schema}.rows`))
      expect(copied).toBe(2)
      expect(await driver.query(`SELECT count(*) FROM ${attached?.schema}.rows`)).toEqual([[2]])
      await attached?.[Symbol.asyncDispose]()
      expect(await driver.query('SELECT count(*) FROM pragma_database_list')).toEqual([[1]])
      expect(await driver.query('SELECT count(*) FROM t')).toEqual([[2 * round]])
    }
  })
})

/** Root may write to any file; the effective user of this process is what the file system asks. */
async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work()
  process.seteuid?.(65_534)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}
