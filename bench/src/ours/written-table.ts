import { DatabaseSync } from 'node:sqlite'
import { round } from '../measure/spread.ts'

export const WRITES = ['insert', 'update', 'delete'] as const
export type Write = (typeof WRITES)[number]

const ROWS_PER_TRANSACTION = 1_000

type Values = readonly (number | string | Uint8Array)[]

/** Eight mixed columns and one key, as an application would have them, written row by row by prepared statements. */
export class WrittenTable implements Disposable {
  readonly #database: DatabaseSync
  readonly #rows: number

  constructor(path: string, rows: number) {
    this.#rows = rows
    this.#database = new DatabaseSync(path)
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    this.#database.exec('CREATE TABLE items (id INTEGER PRIMARY KEY, title TEXT, quantity INTEGER, score REAL, note TEXT, tag BLOB, kind INTEGER, updated_at TEXT)')
  }

  /** Seconds for one write of every row. Making the values is not part of it, and they are not all kept at once. */
  time(write: Write): number {
    const statement = this.#database.prepare(SQL[write])
    let ms = 0
    for (let first = 1; first <= this.#rows; first += ROWS_PER_TRANSACTION) {
      const count = Math.min(ROWS_PER_TRANSACTION, this.#rows - first + 1)
      const values = Array.from({ length: count }, (_, index) => VALUES[write](first + index))
      const begin = performance.now()
      this.#database.exec('BEGIN')
      for (const row of values) statement.run(...row)
      this.#database.exec('COMMIT')
      ms += performance.now() - begin
    }
    return round(ms / 1_000)
  }

  /** Errors: when the log does not have as many changes: a figure for work that was not done would be none. */
  requireLog(changes: number): void {
    const [row] = this.#database.prepare('SELECT max(seq) - min(seq) AS changes FROM tidemark_log').all()
    const found = Number(row?.['changes'])
    if (found < changes) throw new Error(`The log has ${found} changes and not ${changes}.`)
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }
}

const SQL: Readonly<Record<Write, string>> = {
  insert: 'INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  update: 'UPDATE items SET title = ?, quantity = quantity + 1, updated_at = ? WHERE id = ?',
  delete: 'DELETE FROM items WHERE id = ?',
}

const VALUES: Readonly<Record<Write, (id: number) => Values>> = {
  insert: (id) => [id, `item number ${id}`, id * 7, id / 3, `a note that is somewhat longer than the title ${id}`, new Uint8Array(12).fill(id), id % 100, '2026-01-02T03:04:05.000000'],
  update: (id) => [`changed ${id}`, '2026-01-03T03:04:05.000000', id],
  delete: (id) => [id],
}
