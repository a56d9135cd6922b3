import { DatabaseSync, type StatementSync } from 'node:sqlite'
import postgres from 'postgres'
import { MIXED_TABLE } from '../tables/mixed-table.ts'

/** Milliseconds of one poll, in its two parts. */
export interface PollTimes {
  readonly readMs: number
  readonly upsertMs: number
}

/**
 * What our own connection sets that decides how much a power cut can take back. With SQLite's own size of the log the peer
 * would sync at every commit of scattered rows and take three times as long.
 */
const DURABILITY = 'pragma journal_mode = wal; pragma synchronous = normal; pragma wal_autocheckpoint = 16000'
/** Where the peer stopped. Written with its rows, as ours is. */
const CURSOR_TABLE = 'create table poll_cursor (id integer primary key, tracking text, key integer)'

const UPSERT = `
  insert into ${MIXED_TABLE} (id, quantity, price, title, updated_at, active, score, attributes) values (?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (id) do update set quantity = excluded.quantity, price = excluded.price, title = excluded.title,
    updated_at = excluded.updated_at, active = excluded.active, score = excluded.score, attributes = excluded.attributes`

type Row = readonly [id: string, quantity: number, price: string, title: string, updatedAt: string, active: number, score: number, attributes: string]

/**
 * A poll as one writes it by hand: one query past the last row seen, each row through one prepared upsert, rows and cursor
 * in one transaction. It neither waits for late commits nor holds a lease nor notices another schema.
 */
export class HandWrittenPoll implements AsyncDisposable {
  readonly #sql: postgres.Sql
  readonly #database: DatabaseSync
  readonly #upsert: StatementSync
  readonly #saveCursor: StatementSync
  #tracking: string
  #key: string

  private constructor(url: string, path: string, cursor: readonly [tracking: string, key: string]) {
    this.#sql = postgres(url, { max: 1, onnotice: () => {} })
    this.#database = new DatabaseSync(path)
    this.#database.exec(`${DURABILITY}; ${CURSOR_TABLE}`)
    this.#upsert = this.#database.prepare(UPSERT)
    this.#saveCursor = this.#database.prepare('insert into poll_cursor values (1, ?, ?) on conflict (id) do update set tracking = excluded.tracking, key = excluded.key')
    ;[this.#tracking, this.#key] = cursor
  }

  /** Goes on with a copy that is complete, from the source's newest row. */
  static async open(options: { readonly url: string; readonly path: string }): Promise<HandWrittenPoll> {
    const sql = postgres(options.url, { max: 1 })
    const [newest] = await sql`select updated_at::text, id::text from ${sql(MIXED_TABLE)} order by updated_at desc, id desc limit 1`.values()
    await sql.end({ timeout: 5 })
    return new HandWrittenPoll(options.url, options.path, [String(newest?.[0]), String(newest?.[1])])
  }

  /** Errors: another number of rows than expected, which would be another measurement. */
  async poll(expectedRows: number): Promise<PollTimes> {
    const startMs = performance.now()
    const rows = await this.#read()
    const readMs = performance.now() - startMs
    if (rows.length !== expectedRows) throw new Error(`The peer read ${rows.length} rows instead of ${expectedRows}.`)
    this.#write(rows)
    return { readMs, upsertMs: performance.now() - startMs - readMs }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close()
    await this.#sql.end({ timeout: 5 })
  }

  async #read(): Promise<readonly Row[]> {
    const rows = await this.#sql`
      select id, quantity, price, title, updated_at::text, active::int, score, attributes::text from ${this.#sql(MIXED_TABLE)}
      where (updated_at, id) > (${this.#tracking}::text::timestamptz, ${this.#key}::text::bigint) order by updated_at, id`.values()
    // The statement names the columns, and none of them can be NULL.
    return [...rows] as unknown as readonly Row[]
  }

  #write(rows: readonly Row[]): void {
    this.#database.exec('begin immediate')
    for (const [id, ...others] of rows) this.#upsert.run(Number(id), ...others)
    const last = rows.at(-1)
    if (last !== undefined) [this.#key, this.#tracking] = [last[0], last[4]]
    this.#saveCursor.run(this.#tracking, Number(this.#key))
    this.#database.exec('commit')
  }
}
