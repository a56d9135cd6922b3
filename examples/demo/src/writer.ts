import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import type { CityRow } from './city-row.ts'
import type { Random } from './random.ts'
import { insertCities } from './source-table.ts'

export interface WrittenRows {
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  readonly transactions: number
  readonly rolledBack: number
}

export interface WriterOptions {
  readonly url: string
  readonly random: Random
  /** Rows that are in the table. */
  readonly present: readonly CityRow[]
  /** Rows that are not, and will be inserted. */
  readonly reserve: readonly CityRow[]
}

const PAUSE_MS = 5
/** The slow writer: its rows carry the time at which it began, and become visible this much later. */
const SLOW_COMMIT_MS = 700
/** Every n-th id belongs to the slow writer alone, so that the two never wait for each other. */
const SLOW_SHARE = 16

class Undo extends Error {}

/**
 * An application at work on the table: two connections that insert, update and delete until told to stop. One of them
 * commits late, which is what a cursor on `updated_at` loses rows by when it trusts the newest value it saw.
 */
export class Writer implements AsyncDisposable {
  readonly #sql: postgres.Sql
  readonly #random: Random
  readonly #ids: number[]
  readonly #slowIds: readonly number[]
  readonly #reserve: CityRow[]
  readonly #written = { inserted: 0, updated: 0, deleted: 0, transactions: 0, rolledBack: 0 }
  readonly #stop = new AbortController()
  #work: Promise<unknown> | undefined

  constructor(options: WriterOptions) {
    this.#sql = postgres(options.url, { max: 2, onnotice: () => {} })
    this.#random = options.random
    const ids = options.present.map((row) => row.id)
    this.#ids = ids.filter((id) => id % SLOW_SHARE !== 0)
    this.#slowIds = ids.filter((id) => id % SLOW_SHARE === 0)
    this.#reserve = [...options.reserve]
  }

  get written(): WrittenRows {
    return { ...this.#written }
  }

  start(): void {
    const work = Promise.all([this.#write(), this.#writeSlowly()])
    // Seen by stop(); until then it must not end the process.
    work.catch(() => undefined)
    this.#work = work
  }

  /** Ends after the transactions under way. Rejects with whatever ended the writer before. */
  async stop(): Promise<WrittenRows> {
    this.#stop.abort()
    await this.#work
    return this.written
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#work?.catch(() => undefined)
    await this.#sql.end({ timeout: 5 })
  }

  async #write(): Promise<void> {
    const actions = [() => this.#found(), () => this.#census(), () => this.#census(), () => this.#annex(), () => this.#abandon(), () => this.#mistake()]
    while (!this.#stop.signal.aborted) {
      await actions[this.#random(actions.length)]?.()
      this.#written.transactions += 1
      await sleep(PAUSE_MS)
    }
  }

  /** New cities. */
  async #found(): Promise<void> {
    const rows = this.#reserve.splice(0, 1 + this.#random(40))
    if (rows.length === 0) return
    await insertCities(this.#sql, rows)
    this.#written.inserted += rows.length
  }

  /** New population figures. */
  async #census(): Promise<void> {
    const percent = 90 + this.#random(25)
    const ids = this.#someIds(60)
    const { count } = await this.#sql`
      update cities set population = population * ${percent}::bigint / 100, updated_at = clock_timestamp() where id = any(${ids})`
    this.#written.updated += count
  }

  /** Cities that become part of another one: text, array and NULL change. */
  async #annex(): Promise<void> {
    const ids = this.#someIds(20)
    const { count } = await this.#sql`
      update cities set municipality = name, admin_code = null, names = names || ${`Greater “${ids.length}”`}::text, is_capital = not is_capital,
        location = location || jsonb_build_object('annexed', ${ids.length}::int), updated_at = clock_timestamp()
      where id = any(${ids})`
    this.#written.updated += count
  }

  /** Deleted without a trace: no poll can see it, only the reconcile. */
  async #abandon(): Promise<void> {
    const ids = this.#someIds(15)
    const { count } = await this.#sql`delete from cities where id = any(${ids})`
    this.#written.deleted += count
  }

  /** Work that is undone again must leave nothing in the copy. */
  async #mistake(): Promise<void> {
    const ids = this.#someIds(30)
    await this.#sql.begin(async (sql) => {
      await sql`update cities set name = upper(name), updated_at = clock_timestamp() where id = any(${ids})`
      throw new Undo()
    }).catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error
    })
    this.#written.rolledBack += 1
  }

  async #writeSlowly(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const ids = Array.from({ length: 50 }, () => this.#slowIds[this.#random(this.#slowIds.length)] ?? 0)
      const updated = await this.#sql.begin(async (sql) => {
        const { count } = await sql`update cities set population = population + 1, updated_at = now() where id = any(${ids})`
        await sleep(SLOW_COMMIT_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined)
        return count
      })
      this.#written.updated += updated
      this.#written.transactions += 1
    }
  }

  #someIds(most: number): number[] {
    return Array.from({ length: 1 + this.#random(most) }, () => this.#ids[this.#random(this.#ids.length)] ?? 0)
  }
}
