import type { AbortOptions, RowValues, Value } from '@tidemark/core/adapter'
import type { SqliteQuery } from '../driver.ts'
import { strictDecoder, type StrictDecoder } from '../source/cell-codec.ts'
import { entryDigest } from './entry-digest.ts'
import { slots } from './entry-sql.ts'
import type { LogNames } from './log-names.ts'
import type { LogSession } from './log-session.ts'
import type { SchemaWatch } from './schema-watch.ts'
import { isTagged, valueReader, valueSql, type HostForm, type ReadingOptions, type TextPolicy, type ValueForm } from './value-reading.ts'

/** The log's end as of one view. */
export interface LogHead {
  readonly epoch: string
  /** The number of the last entry: a commit ended there. */
  readonly seq: number
  readonly digest: string
  /** Everything up to here may have been purged. */
  readonly purged: number
  /** As `SchemaWatch` says. */
  readonly schemaVersion: number
}

export interface LogViewOptions {
  readonly names: LogNames
  readonly textForm: HostForm
  readonly watch: SchemaWatch
  readonly onInvalidText: TextPolicy
  readonly keepsBigints: boolean
}

/** A column without affinity, as every column of the log is, says nothing about its values. */
const UNTYPED = { name: '', type: '', nullable: true, generated: false, affinity: 'blob' } as const

/** Reads the log's end and something else under one view, with texts and integers as this database needs them. */
export class LogView {
  readonly #session: LogSession
  readonly #options: LogViewOptions
  #decoder: StrictDecoder | undefined
  #width = 0
  #bigints = false

  constructor(session: LogSession, options: LogViewOptions) {
    this.#session = session
    this.#options = options
  }

  /** As the layouts say: how many values an entry has, and whether a column tells 1 from 1.0. */
  configure(layouts: { readonly width: number; readonly bigints: boolean }): void {
    this.#width = layouts.width
    this.#bigints = layouts.bigints || this.#options.keepsBigints
  }

  get width(): number {
    return this.#width
  }

  /**
   * The head and the rows of `query`, which is given how to select a value. Texts come as strings where the driver can do that
   * exactly; one that may stand for bytes that are no text makes the query be run again for bytes.
   */
  async read(query: (form: ValueForm) => SqliteQuery, options: AbortOptions): Promise<{ readonly head: LogHead; readonly rows: readonly RowValues[]; readonly reading: ReadingOptions }> {
    const { textForm } = this.#options
    const found = await this.#readAs(textForm, query(textForm), options)
    if (textForm === 'bytes' || !hasSuspect(found.rows)) return found
    const form = textForm === 'tagged' ? 'tagged-bytes' : 'bytes'
    return this.#readAs(form, query(form), options)
  }

  async head(options: AbortOptions): Promise<LogHead> {
    return (await this.#readAs(this.#options.textForm, undefined, options)).head
  }

  /** The digest of the entry of that number, or `undefined` when it is not there. */
  async digestAt(seq: number, options: AbortOptions): Promise<string | undefined> {
    const { names } = this.#options
    const values = this.#values(this.#options.textForm)
    const { rows, reading } = await this.#readAs(this.#options.textForm, { sql: `SELECT k, ${values} FROM ${names.log} WHERE seq = ?`, parameters: [BigInt(seq)] }, options)
    const row = rows[0]
    return row === undefined ? undefined : digestOf(seq, row, reading)
  }

  /** The values of an entry as a list to select. */
  #values(form: ValueForm): string {
    return slots(this.#width).map((slot) => valueSql(slot, form)).join(', ')
  }

  async #readAs(form: ValueForm, query: SqliteQuery | undefined, options: AbortOptions): Promise<{ readonly head: LogHead; readonly rows: readonly RowValues[]; readonly reading: ReadingOptions }> {
    const queries = [{ sql: this.#headSql(form) }, ...(query === undefined ? [] : [query])]
    const [[headRow] = [], rows = []] = await this.#session.read((driver) => driver.view(queries, { bigints: this.#bigints }), options)
    const reading = await this.#reading(form, options)
    return { head: toHead(headRow ?? [], reading), rows, reading }
  }

  #headSql(form: ValueForm): string {
    const { names, watch } = this.#options
    const meta = (key: string): string => `(SELECT value FROM ${names.meta} WHERE key = '${key}')`
    return `SELECT ${valueSql(meta('epoch'), form)}, ${meta('purged')}, (${watch.versionSql}), seq, k, ${this.#values(form)} FROM ${names.log} ORDER BY seq DESC LIMIT 1`
  }

  async #reading(form: ValueForm, options: AbortOptions): Promise<ReadingOptions> {
    const { keepsBigints, onInvalidText } = this.#options
    const decoder = form === 'string' || form === 'tagged' ? () => undefined : this.#decoder ??= await this.#readEncoding(form, options)
    return { form, bigints: this.#bigints || isTagged(form), keepsBigints, decoder, onInvalidText }
  }

  /** Fixed when the database is made. Hosts whose numbers need marks refuse the question, and have no other than UTF-8. */
  async #readEncoding(form: ValueForm, options: AbortOptions): Promise<StrictDecoder> {
    if (isTagged(form)) return strictDecoder('UTF-8')
    const rows = await this.#session.read((driver) => driver.query('SELECT encoding FROM pragma_encoding'), options)
    return strictDecoder(String(rows[0]?.[0] ?? 'UTF-8'))
  }
}

function toHead(row: RowValues, reading: ReadingOptions): LogHead {
  const [epoch, purged, schemaVersion, seq, ...entry] = row
  const text = valueReader(UNTYPED, reading)
  return {
    epoch: String(text(epoch ?? null)), purged: Number(purged), schemaVersion: Number(schemaVersion), seq: Number(seq), digest: digestOf(Number(seq), entry, reading),
  }
}

/** Of an entry's code and values. A text that is no valid text counts as what it looks like. */
export function digestOf(seq: number, entry: readonly Value[], reading: ReadingOptions): string {
  const read = valueReader(UNTYPED, { ...reading, onInvalidText: 'replace' })
  return entryDigest(seq, entry.map(read))
}

/** What a driver's string has in place of bytes that are no UTF-8. Also a character in its own right. */
const REPLACEMENT = '\uFFFD'

function hasSuspect(rows: readonly RowValues[]): boolean {
  for (const row of rows) {
    for (const value of row) if (typeof value === 'string' && value.includes(REPLACEMENT)) return true
  }
  return false
}
