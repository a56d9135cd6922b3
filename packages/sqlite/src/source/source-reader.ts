import { TidemarkError, type AbortOptions, type ColumnSchema, type RowValues, type TableSchema } from '@tidemark/core/adapter'
import type { SqliteValue } from '../driver.ts'
import { quote } from '../quote.ts'
import { isTagged, type HostForm, type ValueForm } from '../capture/value-reading.ts'
import { strictDecoder, type StrictDecoder, type TextReading } from './cell-codec.ts'
import { quoteText } from './quote-text.ts'
import { readKeyCollations } from './read-key-collations.ts'
import type { SourceSession } from './source-session.ts'

/** The part of a request that tells what was asked for. */
interface TableRequest extends AbortOptions {
  readonly table: TableSchema
  readonly columns?: readonly ColumnSchema[] | undefined
}

export interface SourceHost {
  readonly textForm: HostForm
  readonly maxParameters: number
  readonly hidesSchemaVersion: boolean
}

/** What the reads of a table share: the session, how texts are asked for, and which table or column was missing. */
export class SourceReader {
  readonly session: SourceSession
  readonly host: SourceHost
  #decoder: StrictDecoder | undefined
  /** By table and key. */
  readonly #collations = new Map<string, ReadonlyMap<string, string>>()

  constructor(session: SourceSession, host: SourceHost) {
    this.session = session
    this.host = host
  }

  /** Errors: `SOURCE_*`, and `TABLE_UNKNOWN` or `COLUMN_UNKNOWN` where that is the reason. */
  async query(
    request: TableRequest, statement: { readonly text: string; readonly parameters?: readonly SqliteValue[] },
  ): Promise<readonly RowValues[]> {
    try {
      return await this.session.query({ ...statement, signal: request.signal })
    } catch (error) {
      throw await this.#explain(error, request)
    }
  }

  /** The database's encoding is fixed when it is created, so it is asked for once, and only where bytes are read. */
  async text(form: ValueForm, options: AbortOptions): Promise<TextReading> {
    if (form === 'string' || form === 'tagged') return { form, decoder: () => undefined }
    // Those that can't have integers let nobody choose an encoding.
    if (isTagged(form)) return { form, decoder: strictDecoder('utf-8') }
    const decoder = this.#decoder ??= strictDecoder(String((await this.session.query({ text: 'PRAGMA encoding', signal: options.signal }))[0]?.[0]))
    return { form, decoder }
  }

  /** Asked for once: see `readKeyCollations`. */
  async keyCollations({ table, key, signal }: TableRequest & { readonly key: readonly string[] }): Promise<ReadonlyMap<string, string>> {
    const of = JSON.stringify([table.ref, table.version, key])
    const collations = this.#collations.get(of) ?? await readKeyCollations((text) => this.session.query({ text, signal }), { table, key })
    this.#collations.set(of, collations)
    return collations
  }

  /** SQLite has one code for every statement it can't prepare, so the catalogue is asked what is missing. */
  async #explain(error: unknown, { table, columns = [], signal }: TableRequest): Promise<unknown> {
    if (!(error instanceof TidemarkError) || error.code !== 'SOURCE_FAILED') return error
    const { ref } = table
    const schema = ref.schema ?? 'main'
    const found = await this.session.query({
      text: `SELECT 1 FROM ${quote(schema)}.sqlite_master WHERE name = ${quoteText(ref.name)} COLLATE NOCASE AND type IN ('table', 'view')`, signal,
    })
    if (found.length === 0) return new TidemarkError('TABLE_UNKNOWN', `The source has no table or view '${ref.name}'.`)
    const names = await this.session.query({ text: `SELECT name FROM pragma_table_xinfo(${quoteText(ref.name)}, ${quoteText(schema)})`, signal })
    const known = new Set(names.map(([name]) => name))
    const missing = [...table.columns, ...columns].find((column) => !known.has(column.name))
    return missing === undefined ? error : new TidemarkError('COLUMN_UNKNOWN', `The table '${ref.name}' has no column '${missing.name}'.`)
  }
}
