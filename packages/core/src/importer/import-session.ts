import type { RowValues } from '../change/value.ts'
import type { ImportConnection, ImportProgress, ImportStatement, RunStatementsOutcome } from '../dialect/import-target.ts'
import type { ManifestTable } from '../dump/manifest.ts'
import { firstPlace, readPlace, type ImportPlace } from './import-place.ts'

export interface SessionOptions {
  readonly importId: string
  /** Says which dump it is: its digest, or a file's etag. */
  readonly dump: string
  readonly connection: ImportConnection
  readonly signal: AbortSignal
}

/** Where an import stands once what is being written is; the rows are added to it. */
export type NextPlace = Pick<ImportPlace, 'object' | 'chunk' | 'offset' | 'entry' | 'bytes'>

/** One import on one connection: what is written, and the place that is stored with it. */
export class ImportSession {
  readonly #options: SessionOptions
  #place: ImportPlace
  /** As the target has it. */
  #stored: string | undefined

  private constructor(options: SessionOptions, place: ImportPlace, stored: string | undefined) {
    this.#options = options
    this.#place = place
    this.#stored = stored
  }

  /** Errors: `DUMP_CORRUPT` when the import began with another dump; `STATE_CORRUPT`; `TARGET_*`. */
  static async open(options: SessionOptions): Promise<ImportSession> {
    const { importId, dump, connection, signal } = options
    const stored = await connection.readProgress(importId, { signal })
    return new ImportSession(options, stored === undefined ? firstPlace(dump) : readPlace(stored, dump), stored)
  }

  get importId(): string {
    return this.#options.importId
  }

  get signal(): AbortSignal {
    return this.#options.signal
  }

  get place(): ImportPlace {
    return this.#place
  }

  get hasBegun(): boolean {
    return this.#stored !== undefined
  }

  existing(names: readonly string[]): Promise<readonly string[]> {
    return this.#options.connection.existing(names, { signal: this.signal })
  }

  async runStatements(statements: readonly ImportStatement[], next: NextPlace): Promise<RunStatementsOutcome> {
    const outcome = await this.#options.connection.runStatements({ statements, progress: this.#progress(next), signal: this.signal })
    if (outcome.kind === 'done') this.#moveTo(next, outcome.rows)
    return outcome
  }

  async createTable(table: ManifestTable, next: NextPlace): Promise<void> {
    await this.#options.connection.createTable({ table, progress: this.#progress(next), signal: this.signal })
    this.#moveTo(next, 0)
  }

  async insertRows(table: ManifestTable, rows: readonly RowValues[], next: NextPlace): Promise<void> {
    await this.#options.connection.insertRows({ table, rows, progress: this.#progress(next), signal: this.signal })
    this.#moveTo(next, rows.length)
  }

  finish(): Promise<readonly string[]> {
    return this.#options.connection.finish(this.importId, { signal: this.signal })
  }

  #progress(next: NextPlace): ImportProgress {
    return { importId: this.importId, previous: this.#stored, value: (rows) => JSON.stringify(this.#after(next, rows)) }
  }

  #moveTo(next: NextPlace, rows: number): void {
    this.#place = this.#after(next, rows)
    this.#stored = JSON.stringify(this.#place)
  }

  #after(next: NextPlace, rows: number): ImportPlace {
    return { ...this.#place, entry: undefined, ...next, rows: this.#place.rows + rows }
  }
}
