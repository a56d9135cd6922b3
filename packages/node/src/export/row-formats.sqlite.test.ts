import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Exporter, Importer, verifyDump, type ExportRequest } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fsStorage } from '../storage/fs-storage.ts'
import { HOSTILE, TABLES } from '../test/hostile-schema.ts'
import { cells, definitions } from '../test/stored-cells.ts'
import { nodeSqlite } from './node-sqlite.ts'

let folder: string
let path: string
let copy: string
let dumps: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-formats-'))
  path = join(folder, 'app.db')
  copy = join(folder, 'copy.db')
  dumps = join(folder, 'dumps')
  using database = new DatabaseSync(path, { enableForeignKeyConstraints: false })
  // What is no text has no form in these formats, and is refused: see below.
  database.exec(`${HOSTILE}; DELETE FROM v WHERE hex(x) IN ('41FF42', 'EDA080')`)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function dump(request: ExportRequest): Promise<string> {
  await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(dumps), state: memoryStateStore() })
  const { id } = await exporter.start(request)
  await exporter.finish(id)
  return id
}

function files(id: string): Readonly<Record<string, string>> {
  const names = readdirSync(join(dumps, id), { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(dumps, id, name)).isFile())
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(dumps, id, name), 'utf8')]))
}

const requests: readonly ExportRequest[] = (['csv', 'csv-guarded', 'ndjson'] as const).flatMap((format): readonly ExportRequest[] => [
  { format }, { format, partBytes: 1_002, maxStatementBytes: 1_000 }, { format, layout: 'directory', partBytes: 2_000, maxStatementBytes: 1_000 }, { format, layout: 'directory', compression: 'gzip' },
])

describe('rows in a format of their own', () => {
  it.each(requests)('come back cell by cell, with their types, and are verified (%o)', async (request) => {
    const id = await dump(request)
    await expect(new Importer({ source: fsStorage(dumps), target: nodeSqlite({ path: copy }) }).load(id)).resolves.toMatchObject({ status: 'completed' })
    for (const table of TABLES) expect({ table, cells: cells(copy, table) }).toEqual({ table, cells: cells(path, table) })
    expect(definitions(copy)).toEqual(definitions(path))
    await expect(verifyDump({ storage: fsStorage(dumps), id, mode: 'deep', against: nodeSqlite({ path: copy }) })).resolves.toMatchObject({ ok: true, findings: [] })
  })

  it('go on slice by slice', async () => {
    const id = await dump({ format: 'ndjson', layout: 'directory', partBytes: 1_100, maxStatementBytes: 1_000 })
    let steps = 1
    while (!(await new Importer({ source: fsStorage(dumps), target: nodeSqlite({ path: copy }) }).step(id, { budgetMs: 0 })).done) steps += 1
    expect(steps).toBeGreaterThan(10)
    for (const table of TABLES) expect({ table, cells: cells(copy, table) }).toEqual({ table, cells: cells(path, table) })
  })

  it.each(['csv', 'ndjson'] as const)('go on in the middle of a large file without reading what is loaded again (%s)', async (format) => {
    using database = new DatabaseSync(path)
    database.exec(`CREATE TABLE large (id INTEGER PRIMARY KEY, t TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2400)
      INSERT INTO large SELECT i, printf('%.*c', 18000 + i % 7, 'x') || char(10, 34) || i FROM n`)
    const id = await dump({ format, tables: ['large'], partBytes: 1_048_576 })
    const size = statSync(join(dumps, id, `rows/0001-large.${format}`)).size
    const source = fsStorage(dumps)
    const get = source.get.bind(source)
    let read = 0
    source.get = async (key, options) => {
      const body = await get(key, options)
      return {
        object: body.object,
        async* [Symbol.asyncIterator]() {
          for await (const bytes of body) {
            read += bytes.length
            yield bytes
          }
        },
        [Symbol.asyncDispose]: () => body[Symbol.asyncDispose](),
      }
    }
    let steps = 1
    while (!(await new Importer({ source, target: nodeSqlite({ path: copy }) }).step(id, { budgetMs: 0 })).done) steps += 1
    expect(steps).toBeGreaterThan(5)
    expect(cells(copy, 'large')).toEqual(cells(path, 'large'))
    // A chunk is read again where a slice ends within it, and some are on their way when it does.
    expect(read / size).toBeLessThan(2)
  })

  it('are written as their specifications have them', async () => {
    const csv = files(await dump({ format: 'csv', tables: ['affinities', '"odd "" name"'] }))
    expect(Object.keys(csv).toSorted()).toEqual(['after-0003.sql', 'before-0000.sql', 'manifest.json', 'rows/0001-odd_name.csv', 'rows/0002-affinities.csv'])
    expect(csv['rows/0002-affinities.csv']).toBe('i,t,r,n,b,d\r\n"x","1",1.0,1.5,"text","2020-01-01"\r\n1.5,"1.5",9007199254740992.0,100000000000000000000.0,5,7\r\n1000,\\x31,"abc",\\x00,,1\r\n')
    expect(csv['rows/0001-odd_name.csv']).toContain('"a ""b",select,"é",rowid\r\n"x",1,\\x00,"not the row number"\r\n')
    const ndjson = files(await dump({ format: 'ndjson', tables: ['affinities'] }))
    expect(ndjson['rows/0001-affinities.ndjson']?.split('\n')[1]).toBe('{"i":1.5,"t":"1.5","r":9007199254740992,"n":{"$float":"100000000000000000000"},"b":{"$integer":"5"},"d":7}')
  })

  it('are guarded against spreadsheets on demand, which the manifest tells', async () => {
    using database = new DatabaseSync(path)
    database.exec(`CREATE TABLE formulas ("=1+1" TEXT); INSERT INTO formulas VALUES ('=cmd|x'), ('''=1'), ('-1'), ('it''s'), (char(9) || '1')`)
    const id = await dump({ format: 'csv-guarded', tables: ['formulas'] })
    const written = files(id)
    expect(written['rows/0001-formulas.csv']).toBe('"\'=1+1"\r\n"\'=cmd|x"\r\n"\'\'=1"\r\n"\'-1"\r\n"it\'s"\r\n"\'\t1"\r\n')
    expect(JSON.parse(written['manifest.json'] ?? '')).toMatchObject({ format: 'csv-guarded' })
    await new Importer({ source: fsStorage(dumps), target: nodeSqlite({ path: copy }) }).load(id)
    expect(cells(copy, 'formulas')).toEqual(cells(path, 'formulas'))
    await expect(verifyDump({ storage: fsStorage(dumps), id, mode: 'deep', against: nodeSqlite({ path: copy }) })).resolves.toMatchObject({ ok: true, findings: [] })
  })

  it('are not asked to hold a text that is none', async () => {
    using database = new DatabaseSync(path)
    database.exec(`INSERT INTO v(x) VALUES (CAST(x'41ff42' AS TEXT))`)
    await expect(dump({ format: 'csv' })).rejects.toMatchObject({ code: 'VALUE_UNREPRESENTABLE', message: expect.stringContaining(`'x'`) })
  })
})
