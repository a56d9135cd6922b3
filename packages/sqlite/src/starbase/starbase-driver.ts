import { TidemarkError, type RowValues } from '@tidemark/core/adapter'
import type { BatchTransaction, SqliteQuery, SqliteValue } from '../driver.ts'
import { mapPlaceholders } from '../map-placeholders.ts'
import type { PropagationDriver } from '../propagate/sqlite-propagation-target.ts'
import { isUnchanged, type SeenRows } from '../seen-rows.ts'
import { Changed, untilUnchanged } from '../until-unchanged.ts'
import { cellsJson, piecesOf } from './batch-entries.ts'
import { batchNames, batchProgram, createBatchTables, type BatchNames, type BatchProgram } from './batch-program.ts'
import type { BoundValue, StarbaseClient, StarbaseQuery } from './starbase-client.ts'

export interface StarbaseDriverOptions {
  readonly client: StarbaseClient
  /** Prefix of what is made on the instance. */
  readonly prefix: string
  /** Whether a transaction that has read this must find it unchanged when it writes. */
  readonly isGuarded: (sql: string) => boolean
}

/** So many triggers are compiled with each batch; then they are made anew, as they are wanted. */
const MAX_PROGRAMS = 200
/** Pieces of a batch that was cut off, in milliseconds. */
const STALE_MS = 3_600_000

/**
 * Transactions on an instance whose `/query` has none: all writes of one are a single INSERT into a view, whose triggers run them in their order, so
 * that SQLite itself takes all of it back when one fails. It writes nothing when what was read has changed.
 */
export class StarbaseDriver implements PropagationDriver {
  readonly #client: StarbaseClient
  readonly #names: BatchNames
  readonly #isGuarded: (sql: string) => boolean
  readonly #programs = new Map<string, BatchProgram>()
  /** Programs that the instance has, as far as is known. */
  readonly #made = new Set<string>()

  constructor({ client, prefix, isGuarded }: StarbaseDriverOptions) {
    this.#client = client
    this.#names = batchNames(prefix)
    this.#isGuarded = isGuarded
  }

  async open(): Promise<this> {
    const [tables, view] = createBatchTables(this.#names)
    await this.#client.run([tables, view].flatMap((sql) => sql ?? []).map((sql) => ({ sql })))
    await this.#client.run([{ sql: `DELETE FROM ${this.#names.pieces} WHERE at < ?`, parameters: [Date.now() - STALE_MS] }])
    return this
  }

  async query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    const [rows] = await this.#client.run([{ sql, parameters: parameters.map(toBound) }])
    return rows ?? []
  }

  transaction<T>(work: (transaction: BatchTransaction) => Promise<T>): Promise<T> {
    return untilUnchanged(async () => {
      const transaction = new StarbaseTransaction((queries) => this.#client.run(queries))
      const result = await work(transaction)
      await this.#commit(transaction)
      return result
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #commit({ seen, schema, writes }: StarbaseTransaction): Promise<void> {
    if (schema.length > 0) await this.#client.run(schema.map((sql) => ({ sql })))
    if (writes.length === 0) return
    const guards = seen.filter(({ sql }) => this.#isGuarded(sql)).map(isUnchanged)
    if (this.#made.size > MAX_PROGRAMS) await this.#reset()
    try {
      await this.#write(writes, guards)
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'TARGET_FAILED') throw error
      // A trigger may be of a table that is gone; with it no other can be used.
      await this.#reset()
      await this.#write(writes, guards)
    }
  }

  async #reset(): Promise<void> {
    this.#made.clear()
    await this.#client.run([{ sql: `DROP VIEW IF EXISTS ${this.#names.view}` }])
  }

  async #write(writes: readonly Write[], guards: readonly SqliteQuery[]): Promise<void> {
    const batch = crypto.randomUUID()
    const used = new Map<string, BatchProgram>()
    const entries: { readonly program: string; readonly cells: string }[] = []
    const add = async (sql: string, cells: string): Promise<void> => {
      const program = await this.#program(sql)
      used.set(program.name, program)
      entries.push({ program: program.name, cells })
    }
    for (const { sql, cells } of writes) await add(sql, cells)
    if (piecesOf(entries).length > 1) await add(`DELETE FROM ${this.#names.pieces} WHERE batch = ?`, cellsJson([batch]))
    const pieces = piecesOf(entries)
    const missing = [...used.values()].filter(({ name }) => !this.#made.has(name))
    const queries = [
      ...missing.length === 0 ? [] : createBatchTables(this.#names).map((sql) => ({ sql })),
      ...missing.map(({ sql }) => ({ sql })),
      ...pieces.slice(0, -1).map((piece, number) => ({ sql: `INSERT INTO ${this.#names.pieces} VALUES (?, ?, ?, ?)`, parameters: [batch, number, Date.now(), piece] })),
      applying({ names: this.#names, batch, pieces, programs: [...used.keys()], guards }),
    ]
    const done = (await this.#client.run(queries)).at(-1) ?? []
    if (done.length > 0) {
      for (const name of used.keys()) this.#made.add(name)
      return
    }
    // Which of the conditions did not hold is found out by starting over.
    this.#made.clear()
    throw new Changed()
  }

  async #program(sql: string): Promise<BatchProgram> {
    const program = this.#programs.get(sql) ?? await batchProgram(sql, this.#names)
    if (this.#programs.size > MAX_PROGRAMS) this.#programs.clear()
    this.#programs.set(sql, program)
    return program
  }

}

interface Batch {
  readonly names: BatchNames
  readonly batch: string
  readonly pieces: readonly string[]
  readonly programs: readonly string[]
  readonly guards: readonly SqliteQuery[]
}

/** Gives a row for each statement that was run, and none where a condition did not hold. */
function applying({ names: { view, pieces: table }, batch, pieces, programs, guards }: Batch): StarbaseQuery {
  const kept = pieces.length - 1
  const values = guards.flatMap(({ parameters = [] }) => parameters)
  let index = -1
  const next = (): string => `json_extract(?4, '$[${index += 1}]')`
  const conditions = [
    `(SELECT count(*) FROM ${table} WHERE batch = ?1) = ${kept}`,
    `(SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN (SELECT value FROM json_each(?3))) = ${programs.length}`,
    '?4 IS NOT NULL',
    ...guards.map(({ sql }) => `(${mapPlaceholders(sql, next)}) = 1`),
  ]
  return {
    sql: `INSERT INTO ${view} SELECT entry.value ->> '$[0]', entry.value -> '$[1]'
      FROM (SELECT 0 AS last, number, entries FROM ${table} WHERE batch = ?1 UNION ALL SELECT 1, 0, ?2) AS piece, json_each(piece.entries) AS entry
      WHERE ${conditions.join(' AND ')} ORDER BY piece.last, piece.number, entry.id RETURNING 1 AS done`,
    parameters: [batch, pieces.at(-1) ?? '[]', JSON.stringify(programs), JSON.stringify(values)],
  }
}

interface Write {
  readonly sql: string
  readonly cells: string
}

type RunQueries = (queries: readonly StarbaseQuery[]) => Promise<readonly (readonly RowValues[])[]>

/** Queries of one request that has not been sent yet. */
interface Gathered {
  readonly queries: StarbaseQuery[]
  readonly answers: ReturnType<RunQueries>
}

const SCHEMA = /^\s*(?:CREATE|ALTER|DROP)\b/i

class StarbaseTransaction implements BatchTransaction {
  readonly seen: SeenRows[] = []
  /** Statements that can't stand in a trigger, each harmless when it is run again or for nothing. */
  readonly schema: string[] = []
  readonly writes: Write[] = []
  readonly #run: RunQueries
  #gathered: Gathered | undefined

  constructor(run: RunQueries) {
    this.#run = run
  }

  async query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    if (this.writes.length > 0) throw new TidemarkError('INTERNAL', 'A transaction on this instance can not read what it has written.')
    const gathered = this.#gathered ??= this.#gather()
    const index = gathered.queries.push({ sql, parameters: parameters.map(toBound) }) - 1
    const rows = (await gathered.answers)[index] ?? []
    this.seen.push({ sql, parameters, rows })
    return rows
  }

  async run(sql: string, parameters: readonly SqliteValue[] = []): Promise<void> {
    if (SCHEMA.test(sql)) this.schema.push(sql)
    else this.writes.push({ sql, cells: cellsJson(parameters) })
  }

  /** What is asked for at once is one request. */
  #gather(): Gathered {
    const queries: StarbaseQuery[] = []
    const answers = Promise.resolve().then(() => {
      this.#gathered = undefined
      return this.#run(queries)
    })
    return { queries, answers }
  }
}

/** What the receiver asks by is a text or a small number. */
function toBound(value: SqliteValue): BoundValue {
  if (typeof value === 'bigint' || value instanceof Uint8Array) throw new TidemarkError('INTERNAL', 'A query has a parameter that JSON has not.')
  return value
}
