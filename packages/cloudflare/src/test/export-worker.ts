import { Exporter, type ExportRequest, type ExportStatus } from '@tidemark/core'
import type { D1Database } from '../d1-database.ts'
import { d1Sqlite } from '../d1-sqlite.ts'
import { d1StateStore } from '../d1-state-store.ts'
import { DurableObjectAlarms, type AlarmStorage } from '../durable-object-alarms.ts'
import { durableObjectSqlite } from '../durable-object-sqlite.ts'
import { durableObjectStateStore } from '../durable-object-state-store.ts'
import type { DurableObjectStorage } from '../durable-object-storage.ts'
import type { R2Bucket } from '../storage/r2-bucket.ts'
import { r2Storage } from '../storage/r2-storage.ts'

interface Environment {
  readonly OBJECTS: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } }
  readonly DB: D1Database
  readonly BUCKET: R2Bucket
}

/** A bank of 400 accounts with 100 each, and a table of what is easily lost on the way. */
export const FILL: readonly string[] = [
  'CREATE TABLE accounts (id INTEGER PRIMARY KEY, tag TEXT UNIQUE, balance INT NOT NULL)',
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO accounts SELECT i, 'tag ' || i, 100 FROM n`,
  'CREATE TABLE hostile (id INTEGER PRIMARY KEY AUTOINCREMENT, x)',
  `INSERT INTO hostile (x) VALUES (9007199254740993), (-9223372036854775808), (1.0), (1), (9e999), (-9e999), (0.1), (x'00ff'), ('a' || char(0) || 'b'), (char(1) || 'x'), ('it''s; ' || char(10)), (NULL), ('')`,
  'CREATE INDEX accounts_balance ON accounts (balance)',
]

/** Money moves, a tag goes to another account, and an account is replaced by one that takes its place and its tag. */
export function transferSql(count: number): readonly string[] {
  const [from, to, other] = [1 + (count * 37) % 400, 1 + (count * 91 + 5) % 400, 1 + (count * 53 + 11) % 400]
  return [
    `UPDATE accounts SET balance = balance - 7 WHERE id = ${from}`, `UPDATE accounts SET balance = balance + 7 WHERE id = ${to}`,
    `INSERT OR REPLACE INTO accounts SELECT id, tag || '.', balance FROM accounts WHERE id = ${other}`,
  ]
}

const REQUESTS: readonly ExportRequest[] = [{ fileName: 'dump', maxStatementBytes: 2_000 }, { format: 'ndjson', layout: 'directory', partBytes: 4_096, maxStatementBytes: 2_000, compression: 'gzip' }]

/** Two exports at once, and a job of the application's, on the one alarm of the object. */
export class ExportObject {
  readonly #storage: DurableObjectStorage & AlarmStorage
  readonly #exporter: Exporter
  readonly #alarms: DurableObjectAlarms
  readonly #ids: string[] = []
  #transfers = 0
  #ticks = 0
  #waiting: (() => void) | undefined

  constructor(context: { readonly storage: DurableObjectStorage & AlarmStorage }, environment: Environment) {
    this.#storage = context.storage
    this.#exporter = new Exporter({ source: durableObjectSqlite(context), storage: r2Storage(environment.BUCKET, { prefix: 'object' }), state: durableObjectStateStore(context.storage), instance: 'object' })
    this.#alarms = new DurableObjectAlarms(context.storage, { exports: () => this.#export(), ticking: () => this.#tick() })
  }

  async fetch(): Promise<Response> {
    for (const sql of FILL) this.#storage.sql.exec(sql)
    for (const request of REQUESTS) this.#ids.push((await this.#exporter.start(request)).id)
    const finished = new Promise<void>((resolve) => { this.#waiting = resolve })
    await this.#alarms.wakeAt('exports', Date.now())
    await this.#alarms.wakeAt('ticking', Date.now())
    await finished
    const tables = Array.from(this.#storage.sql.exec(`SELECT name FROM sqlite_schema WHERE name LIKE 'tidemark_undo%'`).raw())
    return Response.json({ statuses: await this.#exporter.list(), ticks: this.#ticks, transfers: this.#transfers, left: tables.length })
  }

  alarm(): Promise<void> {
    return this.#alarms.run()
  }

  async #export(): Promise<number | undefined> {
    for (const sql of transferSql(this.#transfers)) this.#storage.sql.exec(sql)
    this.#transfers += 1
    const { nextAtMs } = await this.#exporter.stepDue({ budget: { bytes: 1 } })
    const statuses = await this.#exporter.list()
    if (statuses.every(({ status }) => status === 'completed' || status === 'failed') && nextAtMs === undefined) this.#waiting?.()
    return nextAtMs
  }

  #tick(): Promise<number | undefined> {
    this.#ticks += 1
    return Promise.resolve(this.#ticks < 5 ? Date.now() : undefined)
  }
}

export const worker = {
  async fetch(request: Request, environment: Environment): Promise<Response> {
    const { OBJECTS } = environment
    if (new URL(request.url).pathname === '/d1') return Response.json({ statuses: await exportD1(environment) })
    return OBJECTS.get(OBJECTS.idFromName('one')).fetch(request)
  },
}

/** With a row that comes and goes before each batch: the counter of its table is another each time. */
function written(database: D1Database): D1Database {
  return {
    prepare: (query) => database.prepare(query),
    batch: async (statements) => {
      await database.prepare(`INSERT INTO hostile (x) VALUES ('passing')`).raw()
      await database.prepare(`DELETE FROM hostile WHERE x = 'passing'`).raw()
      return database.batch(statements)
    },
  }
}

async function exportD1({ DB, BUCKET }: Environment): Promise<readonly ExportStatus[]> {
  for (const sql of FILL) await DB.prepare(sql).raw()
  const open = (): Exporter => new Exporter({ source: d1Sqlite(written(DB)), storage: r2Storage(BUCKET, { prefix: 'd1' }), state: d1StateStore(DB), instance: 'd1' })
  const ids: string[] = []
  for (const request of REQUESTS) ids.push((await open().start(request)).id)
  for (let transfers = 0, isDone = false; !isDone; transfers += 1) {
    await DB.batch(transferSql(transfers).map((sql) => DB.prepare(sql)))
    isDone = (await open().stepDue({ budget: { bytes: 1 } })).nextAtMs === undefined
  }
  return open().list()
}
