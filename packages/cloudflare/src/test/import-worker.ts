import { Exporter, Importer, TidemarkError, verifyDump, type ExportRequest, type ImporterOptions, type ImportInput } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import type { D1Database } from '../d1-database.ts'
import { d1Sqlite } from '../d1-sqlite.ts'
import { DurableObjectImportDriver } from '../durable-object-import-driver.ts'
import { durableObjectSqlite } from '../durable-object-sqlite.ts'
import { durableObjectStateStore } from '../durable-object-state-store.ts'
import type { DurableObjectStorage } from '../durable-object-storage.ts'
import type { R2Bucket } from '../storage/r2-bucket.ts'
import { r2Storage } from '../storage/r2-storage.ts'
import { FILL } from './export-worker.ts'

interface Environment extends Readonly<Record<string, unknown>> {
  readonly OBJECTS: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } }
  readonly BUCKET: R2Bucket
}

interface Context {
  readonly storage: DurableObjectStorage
  abort(reason: string): void
}

const SMALL = { layout: 'directory', partBytes: 4_096, maxStatementBytes: 2_000 } as const
const DUMPS = {
  sql: { layout: 'directory', partBytes: 20_000, maxStatementBytes: 10_000 }, file: {}, csv: { ...SMALL, format: 'csv' }, ndjson: { ...SMALL, format: 'ndjson', compression: 'gzip' },
} satisfies Record<string, ExportRequest>
const LONG_DUMPS = { sql: { layout: 'directory', partBytes: 1_048_576 }, csv: { layout: 'directory', partBytes: 1_048_576, format: 'csv' } } satisfies Record<string, ExportRequest>

/** Rows that refer to some that come later, in their own table too; values longer than a statement; definitions of every kind. */
const MORE: readonly string[] = [
  'CREATE TABLE visits (id INTEGER PRIMARY KEY, account NOT NULL REFERENCES later (id), before REFERENCES visits (id), note)',
  'CREATE TABLE later (id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, b BLOB, n NUMERIC)',
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO later SELECT i, -i, i, i, zeroblob(i), i / 2.0 FROM n`,
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO visits SELECT i, i, CASE WHEN i < 200 THEN i + 1 END, CASE i % 4 WHEN 0 THEN i WHEN 1 THEN i * 1.0 WHEN 2 THEN 'é''' || i END FROM n`,
  `INSERT INTO later (id, t, b) VALUES (1000, replace(hex(zeroblob(75000)), '00', 'a''' || char(0)), randomblob(400000)), (1001, replace(hex(zeroblob(200)), '00', 'é'), randomblob(201))`,
  // Keys that only the key's collation tells apart.
  'CREATE TABLE cased (id TEXT COLLATE NOCASE, v, PRIMARY KEY (id COLLATE BINARY)) WITHOUT ROWID', 'CREATE INDEX by_case ON cased (id)',
  `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199) INSERT INTO cased SELECT CASE i % 2 WHEN 0 THEN 'k' ELSE 'K' END || (i / 2), i FROM n`,
  'DELETE FROM hostile WHERE id > 10', 'INSERT INTO hostile (x) VALUES (\'last\')',
  'CREATE VIEW sums AS SELECT sum(balance) AS total FROM accounts', 'CREATE TRIGGER keeps AFTER DELETE ON later BEGIN SELECT 1; SELECT 2; END',
]

/** More as SQL than a query gives of a value; and a row number that is no double. */
const LONG: readonly string[] = [
  `INSERT INTO later (id, t, b) VALUES (2000, 'short', randomblob(1900000)), (2001, replace(hex(zeroblob(300000)), '00', '''é' || char(0)), randomblob(500000)), (9007199254740993, replace(hex(zeroblob(60000)), '00', '''é'), NULL)`,
  `INSERT INTO later (id, r, t, b) VALUES (2002, 9e999, replace(hex(zeroblob(400000)), '00', 'é'''), x'00'), (2003, 0.1, NULL, randomblob(900001))`,
]

type Ask = (sql: string) => Promise<readonly (readonly unknown[])[]>

/** Every cell with its storage class and bytes, and all definitions, as one text. */
async function contents(ask: Ask): Promise<string> {
  const cell = (column: string): string => `typeof(${column}) || CASE typeof(${column}) WHEN 'text' THEN hex(substr(CAST(${column} AS BLOB), 1, 400000)) WHEN 'real' THEN printf('%!.17g', ${column}) ELSE quote(substr(${column}, 1, 300000)) END`
  const lines: unknown[] = [await ask(`SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND tbl_name NOT LIKE 'tidemark%' ORDER BY type, name`)]
  for (const table of ['accounts', 'hostile', 'visits', 'later', 'cased']) {
    const columns = (await ask(`SELECT name FROM pragma_table_info('${table}')`)).map(([name]) => cell(String(name)))
    lines.push(...(await ask(`SELECT ${columns.join(` || '|' || `)} FROM ${table} ORDER BY id, 1`)).flat())
  }
  for (const from of [300_001, 600_001, 900_001, 1_200_001, 1_500_001, 1_800_001]) {
    lines.push(...await ask(`SELECT hex(substr(CAST(t AS BLOB), ${from}, 300000)), hex(substr(b, ${from}, 300000)) FROM later WHERE id >= 1000 ORDER BY id`))
  }
  lines.push(await ask('SELECT name, seq FROM sqlite_sequence'))
  return JSON.stringify(lines)
}

type Dumps = Readonly<Record<string, ExportRequest>>

/** Ids by name. */
async function dumped(exporter: Exporter, dumps: Dumps): Promise<Readonly<Record<string, string>>> {
  const ids: Record<string, string> = {}
  for (const [name, request] of Object.entries(dumps)) ids[name] = (await exporter.finish((await exporter.start(request)).id)).exportId
  return ids
}

/** Two that load the same at once: what became of each. */
async function both(options: ImporterOptions, input: ImportInput): Promise<readonly string[]> {
  const one = async (): Promise<string> => {
    try {
      return (await new Importer(options).load(input)).status
    } catch (error) {
      return error instanceof TidemarkError ? error.code : String(error)
    }
  }
  return (await Promise.all([one(), one()])).toSorted()
}

/** How many turns of the queue of microtasks the second may begin later than what the first waits for. */
const DELAYS = [0, 1, 2, 3, 4, 5, 6, 7] as const

/** Two that write a row without its parent, the second of which begins as the first sets the foreign keys again. */
async function atOnce(storage: DurableObjectStorage): Promise<unknown> {
  storage.sql.exec('CREATE TABLE child (id INTEGER PRIMARY KEY, parent REFERENCES child (id))')
  const rounds = []
  for (const delay of DELAYS) rounds.push(await round(storage, delay))
  return rounds
}

async function round(storage: DurableObjectStorage, delay: number): Promise<unknown> {
  const keys = (): number => Number([...storage.sql.exec('PRAGMA foreign_keys').raw()][0]?.[0])
  const orphan = async (): Promise<unknown> => driver.firstFailing(['INSERT INTO child VALUES (1, 2)']).then((failing) => failing?.error.code)
  let second: Promise<unknown> | undefined
  const begin = async (): Promise<void> => {
    for (let turn = 0; turn < delay; turn += 1) await Promise.resolve()
    second ??= orphan()
  }
  const driver = new DurableObjectImportDriver({
    sql: storage.sql, transactionSync: (work) => storage.transactionSync(work),
    sync: async () => {
      await storage.sync()
      if (keys() === 0) void begin()
    },
  })
  const first = await orphan()
  return { failed: [first, await second].filter((code) => code !== undefined), keys: keys() }
}

/** The asker's request: `?dump=…`. Answers of a fault have its code. */
async function answered(work: () => Promise<unknown>): Promise<Response> {
  try {
    return Response.json(await work())
  } catch (error) {
    if (error instanceof TidemarkError) return Response.json({ code: error.code, detail: error.detail, cause: error.cause instanceof TidemarkError ? error.cause.code : undefined })
    throw error
  }
}

export class ImportObject {
  readonly #context: Context
  readonly #bucket: R2Bucket

  constructor(context: Context, { BUCKET }: Environment) {
    this.#context = context
    this.#bucket = BUCKET
  }

  fetch({ url }: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(url)
    const storage = r2Storage(this.#bucket)
    const ask: Ask = (sql) => Promise.resolve([...this.#context.storage.sql.exec(sql).raw()])
    const input = inputOf(searchParams)
    switch (pathname.split('/').at(-1)) {
      case 'fill': return answered(() => this.#fill([...FILL, ...MORE], DUMPS))
      case 'fill-long': return answered(() => this.#fill([...FILL, ...MORE, ...LONG], LONG_DUMPS))
      case 'contents': return answered(() => contents(ask))
      case 'tables': return answered(() => ask(`SELECT count(*) FROM sqlite_schema WHERE name LIKE 'tidemark%'`))
      case 'keys': return answered(() => ask('PRAGMA foreign_keys'))
      case 'both': return answered(() => both({ source: storage, target: durableObjectSqlite(this.#context) }, input))
      case 'at-once': return answered(() => atOnce(this.#context.storage))
      case 'verify': return answered(() => verifyDump({ storage, id: String(input), mode: 'rows', against: durableObjectSqlite(this.#context) }))
      // Ends in the middle of a slice: once it is written, before anything is stored.
      case 'kill': return answered(() => new Importer({ source: storage, target: durableObjectSqlite({ storage: this.#ending() }) }).step(input, { budgetMs: 0 }))
      default: return answered(() => new Importer({ source: storage, target: durableObjectSqlite(this.#context) }).step(input, { budgetMs: 0 }))
    }
  }

  async #fill(statements: readonly string[], dumps: Dumps): Promise<unknown> {
    this.#context.storage.sql.exec('PRAGMA defer_foreign_keys = ON')
    for (const sql of statements) this.#context.storage.sql.exec(sql)
    await using exporter = new Exporter({ source: durableObjectSqlite(this.#context), storage: r2Storage(this.#bucket), state: durableObjectStateStore(this.#context.storage), instance: 'from' })
    return dumped(exporter, dumps)
  }

  #ending(): DurableObjectStorage {
    const { storage } = this.#context
    return { sql: storage.sql, sync: () => storage.sync(), transactionSync: (work) => {
      storage.transactionSync(work)
      this.#context.abort('killed by the test')
      throw new Error('killed by the test')
    } }
  }
}

function inputOf(parameters: URLSearchParams): ImportInput {
  const sql = parameters.get('sql')
  return sql === null ? parameters.get('dump') ?? '' : { sql }
}

export const worker = {
  fetch(request: Request, environment: Environment): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const [, place, name = '', action] = pathname.split('/')
    const { OBJECTS, BUCKET } = environment
    if (place === 'object') return OBJECTS.get(OBJECTS.idFromName(name)).fetch(request)
    const database = environment[name] as D1Database // bound by the test
    const storage = r2Storage(BUCKET)
    const ask: Ask = (sql) => database.prepare(sql).raw()
    switch (action) {
      case 'contents': return answered(() => contents(ask))
      case 'tables': return answered(() => ask(`SELECT count(*) FROM sqlite_schema WHERE name LIKE 'tidemark%'`))
      case 'accounts': return answered(() => ask('SELECT count(*), sum(balance) FROM accounts'))
      case 'fill': return answered(() => fillD1(database, BUCKET, { long: [], dumps: DUMPS }))
      case 'fill-long': return answered(() => fillD1(database, BUCKET, { long: LONG, dumps: LONG_DUMPS }))
      case 'both': return answered(() => both({ source: storage, target: d1Sqlite(database) }, inputOf(searchParams)))
      case 'verify': return answered(() => verifyDump({ storage, id: String(inputOf(searchParams)), mode: 'rows', against: d1Sqlite(database) }))
      default: return answered(() => new Importer({ source: storage, target: d1Sqlite(database) }).step(inputOf(searchParams), { budgetMs: 0 }))
    }
  },
}

/** In an order in which every row finds what it refers to. */
async function fillD1(database: D1Database, bucket: R2Bucket, { long, dumps }: { readonly long: readonly string[]; readonly dumps: Dumps }): Promise<unknown> {
  const [visits = '', later = '', ...more] = MORE.map((sql) => sql.replace('i + 1 END', 'NULL END'))
  await database.batch([...FILL, later, visits, ...more, ...long].map((sql) => database.prepare(sql)))
  await using exporter = new Exporter({ source: d1Sqlite(database), storage: r2Storage(bucket), state: memoryStateStore(), instance: 'from' })
  return dumped(exporter, dumps)
}
