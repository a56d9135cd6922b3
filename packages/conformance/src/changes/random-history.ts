import type { Value } from '@tidemark/core/adapter'
import { settle } from '../assert/fails-with.ts'
import type { ChangeClient, ChangeHarness } from '../harness/change-harness.ts'
import type { CapturedTable, ChangeStatement, ChangeTableSpec } from '../harness/change-spec.ts'
import type { RowRecord } from '../harness/table-spec.ts'
import { AMPLE, capture, type LogReader } from './change-fixture.ts'
import { Random } from './random.ts'
import { Replica } from './replica.ts'

/** What a history may do besides inserting, updating and deleting rows by key in transactions. */
export interface HistoryOptions {
  readonly seed: number
  readonly steps: number
  /** Which statements may push rows out of the way. */
  readonly replaces?: readonly ('insert' | 'update')[] | undefined
  /** Statements that may fail, also within a transaction, which then goes on. */
  readonly fails?: boolean | undefined
  readonly savepoints?: boolean | undefined
  /** A `blob` column that takes values of any type. */
  readonly loose?: boolean | undefined
}

const KEYS = 6

/** Few keys and values, so that rows meet. */
const PEOPLE: ChangeTableSpec = {
  name: 'people',
  columns: [
    { name: 'id', kind: 'int' }, { name: 'email', kind: 'text' }, { name: 'handle', kind: 'int', nullable: true }, { name: 'seen', kind: 'int' },
    { name: 'held', kind: 'blob', nullable: true },
  ],
  key: ['id'],
  indexes: [{ columns: ['email'], unique: true }, { columns: ['handle'], unique: true }],
}

const PLACES: ChangeTableSpec = {
  name: 'places',
  columns: [{ name: 'street', kind: 'text' }, { name: 'seen', kind: 'int' }, { name: 'number', kind: 'int' }],
  key: ['number', 'street'],
}

const LOOSE: readonly [Value, ...Value[]] = [null, 1n, 1, 0.5, '1', '', 'a\0b', new Uint8Array(0), Uint8Array.of(49), 9_007_199_254_740_993n]
const BYTES: readonly [Value, ...Value[]] = [null, new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(49)]

/**
 * A random history of statements, and everything the log tells of it applied to a copy of the beginning: the copy must end like the tables,
 * cell by cell. The same seed gives the same history, so a failure is repeated by its seed.
 */
export async function checkHistory(harness: ChangeHarness, options: HistoryOptions): Promise<void> {
  const tables = await createHistoryTables(harness)
  const history = new RandomHistory(harness.client, tables, options)
  // What is there already is no part of the log.
  for (let step = 0; step < 5; step += 1) await history.step()
  await using fixture = await capture(harness, tables)
  const replica = await Replica.copyOf(harness, tables)
  for (let step = 0; step < options.steps; step += 1) {
    await history.step()
    if (history.random.chance(30)) await catchUp(fixture.reader, replica, history.random)
    if (history.random.chance(5)) {
      await catchUp(fixture.reader, replica, history.random)
      await replica.checkAgainst(harness, tables)
    }
  }
  await catchUp(fixture.reader, replica, history.random)
  await replica.checkAgainst(harness, tables)
}

/** `withoutRowid`: in SQLite, tables that are read in key order. */
export async function createHistoryTables(harness: ChangeHarness, withoutRowid = false): Promise<readonly CapturedTable[]> {
  return [await harness.createTable({ ...PEOPLE, withoutRowid }), await harness.createTable({ ...PLACES, withoutRowid })]
}

async function catchUp(reader: LogReader, replica: Replica, random: Random): Promise<void> {
  replica.applyAll(await reader.drain({ ...AMPLE, events: random.pick([1, 2, 3, 7, 1_000]) }))
}

/** The statements alone, with nobody listening. */
export class RandomHistory {
  readonly random: Random
  readonly #client: ChangeClient
  readonly #tables: readonly CapturedTable[]
  readonly #options: HistoryOptions
  #seen = 0

  constructor(client: ChangeClient, tables: readonly CapturedTable[], options: HistoryOptions) {
    this.random = new Random(options.seed)
    this.#client = client
    this.#tables = tables
    this.#options = options
  }

  /** One transaction, committed or not, or one statement alone. */
  async step(): Promise<void> {
    if (this.random.chance(50)) return this.#run()
    await this.#client.begin()
    for (let left = 1 + this.random.below(5); left > 0; left -= 1) await this.#part(2)
    await (this.random.chance(80) ? this.#client.commit() : this.#client.rollback())
  }

  /** A statement, or some within a savepoint, whose name may be that of one around it. */
  async #part(depth: number): Promise<void> {
    if (depth === 0 || this.#options.savepoints !== true || this.random.chance(70)) return this.#run()
    const name = this.random.pick(['a', 'b'])
    await this.#client.savepoint(name)
    for (let left = this.random.below(3); left > 0; left -= 1) await this.#part(depth - 1)
    if (this.random.chance(50)) await this.#client.rollbackTo(name)
    if (this.random.chance(80)) await this.#client.release(name)
  }

  async #run(): Promise<void> {
    const statement = this.#statement()
    if (this.#options.fails !== true) return this.#client.run(statement)
    await settle(() => this.#client.run(statement))
  }

  #statement(): ChangeStatement {
    const table = this.random.pick([...this.#tables] as [CapturedTable, ...CapturedTable[]]) // two are made
    switch (this.random.below(6)) {
      case 0:
      case 1:
      case 2: return this.#insert(table)
      case 3:
      case 4: return this.#update(table)
      default: return { kind: 'delete', table, where: this.random.chance(4) ? {} : this.#key(table) }
    }
  }

  #insert(table: CapturedTable): ChangeStatement {
    const rows = Array.from({ length: 1 + this.random.below(3) }, () => this.#row(table))
    const { replaces = [], fails = false } = this.#options
    if (replaces.includes('insert') && this.random.chance(50)) return { kind: 'insert', table, rows, onConflict: 'replace' }
    if (fails && this.random.chance(40)) return { kind: 'insert', table, rows, onConflict: this.random.pick([undefined, 'update']) }
    return { kind: 'insert', table, rows, onConflict: 'ignore' }
  }

  /** Without statements that may fail, no unique key is touched. */
  #update(table: CapturedTable): ChangeStatement {
    const { replaces = [], fails = false } = this.#options
    const row = this.#row(table)
    const orReplace = replaces.includes('update') && this.random.chance(50)
    if (!orReplace && !fails) return { kind: 'update', table, where: this.#where(table), set: this.#harmless(table) }
    const names = Object.keys(row).filter(() => this.random.chance(50))
    const set = names.length === 0 ? this.#harmless(table) : Object.fromEntries(names.map((name) => [name, row[name] ?? null]))
    return { kind: 'update', table, where: this.#where(table), set, orReplace }
  }

  #harmless({ spec }: CapturedTable): RowRecord {
    this.#seen += 1
    return spec.name === PEOPLE.name ? { seen: this.#seen, held: this.#held() } : { seen: this.#seen }
  }

  #where(table: CapturedTable): RowRecord {
    if (this.random.chance(5)) return {}
    return table.spec.name === PEOPLE.name && this.random.chance(20) ? { handle: 1 + this.random.below(KEYS) } : this.#key(table)
  }

  #key({ spec }: CapturedTable): RowRecord {
    const number = 1 + this.random.below(KEYS)
    return spec.name === PEOPLE.name ? { id: number } : { street: this.random.pick(['', 'a', 'A']), number }
  }

  #row(table: CapturedTable): RowRecord {
    this.#seen += 1
    const key = this.#key(table)
    if (table.spec.name !== PEOPLE.name) return { ...key, seen: this.#seen }
    const handle = this.random.chance(40) ? null : 1 + this.random.below(KEYS)
    return { ...key, email: this.random.pick(['a', 'b', 'c', 'd', 'e', 'f']), handle, seen: this.#seen, held: this.#held() }
  }

  #held(): Value {
    return this.random.pick(this.#options.loose === true ? LOOSE : BYTES)
  }
}
