import { DatabaseSync } from 'node:sqlite'
import { createClient, type Client } from '@libsql/client'
import type { SourceDialect, TargetDialect } from '@tidemark/core'
import { nodeSqliteSource } from '@tidemark/node'
import { afterEach, describe, expect, it } from 'vitest'
import { libsqlSource } from './libsql-source.ts'
import { libsqlFileTarget, libsqlTarget } from './libsql-target.ts'
import { ALL_CLASSES } from './test/all-classes.ts'
import { cells } from './test/cells.ts'
import { replicate } from './test/replicate.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()
const clients: Client[] = []

afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

function write(sql: string): void {
  using database = new DatabaseSync(path('source.db'))
  database.exec(sql)
}

function client(name: string): Client {
  const made = createClient({ url: `file:${path(name)}`, intMode: 'bigint', concurrency: 1 })
  clients.push(made)
  return made
}

const targets: readonly (readonly [string, () => TargetDialect])[] = [
  ['libsql', () => libsqlFileTarget({ path: path('copy.db') })],
  ['a client', () => libsqlTarget({ client: client('copy.db') })],
]

const sources: readonly (readonly [string, () => SourceDialect])[] = [
  ['node:sqlite', () => nodeSqliteSource({ path: path('source.db') })],
  ['libsql', () => libsqlSource({ url: `file:${path('source.db')}` })],
  ['a client', () => libsqlSource({ client: client('source.db') })],
]

describe.each(targets)('into a file by %s', (_target, target) => {
  it.each(sources)('every cell read by %s has its own storage class', async (_source, source) => {
    write(ALL_CLASSES)
    const options = { sourceTable: 'cells', reconcile: { intervalMinutes: 0.0001 } }
    const into = target()
    await replicate(source(), into, options)
    const sql = 'SELECT * FROM cells ORDER BY id'
    expect(cells(path('copy.db'), sql)).toEqual(cells(path('source.db'), sql))
    write('UPDATE cells SET none = 2.0, at = 7 WHERE id = 1; INSERT INTO cells (id, none, blob, real) VALUES (9007199254740995, 3, 3.0, 3)')
    await replicate(source(), into, options)
    expect(cells(path('copy.db'), sql)).toEqual(cells(path('source.db'), sql))
  })
})

describe('a libSQL source', () => {
  it('refuses bytes that are no text', async () => {
    write('CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES (1, CAST(x\'ff\' AS TEXT))')
    const copying = replicate(libsqlSource({ url: `file:${path('source.db')}` }), libsqlFileTarget({ path: path('copy.db') }), { sourceTable: 't' })
    await expect(copying).rejects.toMatchObject({ code: 'VALUE_UNREPRESENTABLE' })
  })

  it('is SOURCE_UNREACHABLE without a file or a server', async () => {
    for (const url of [`file:${path('missing.db')}`, 'http://127.0.0.1:1']) {
      await expect(libsqlSource({ url }).connect()).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    }
  })
})

describe('an address', () => {
  it('is shown without a token, and refused with one in it', () => {
    expect(libsqlTarget({ url: 'libsql://db.example.io', authToken: 'hush' }).address).toBe('libsql://db.example.io')
    for (const url of ['libsql://user:hush@db.example.io', 'https://db.example.io?authToken=hush', 'ftp://db.example.io', 'file:data.db?authToken=hush']) {
      expect(() => libsqlTarget({ url })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.not.stringContaining('hush') }))
    }
  })
})
