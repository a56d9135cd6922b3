import { TidemarkError, type AbortOptions, type Value } from '@tidemark/core/adapter'
import { ChangeDecoder } from './change-decoder.ts'
import { layoutsSql, toLayouts, type StoredLayout } from './layouts.ts'
import type { LogNames } from './log-names.ts'
import type { LogSession } from './log-session.ts'
import { entryWidth, type TableLayout } from './table-layout.ts'
import { valueReader, type ReadingOptions, type ValueReader } from './value-reading.ts'

/** The layouts as they were last read, each with its decoder. */
export class CapturedTables {
  readonly #session: LogSession
  readonly #names: LogNames
  #layouts: readonly StoredLayout[] = []
  #decoders = new Map<number, ChangeDecoder>()
  #text: ValueReader | undefined
  #reading: ReadingOptions | undefined

  constructor(session: LogSession, names: LogNames) {
    this.#session = session
    this.#names = names
  }

  async load(options: AbortOptions): Promise<void> {
    this.#layouts = toLayouts(await this.#session.read((driver) => driver.query(layoutsSql(this.#names)), options))
    this.#decoders.clear()
  }

  get current(): readonly TableLayout[] {
    return this.#layouts.filter(({ isCurrent }) => isCurrent).map(({ layout }) => layout)
  }

  /** The values that an entry of any layout has at most. */
  get width(): number {
    return Math.max(1, ...this.#layouts.map(({ layout }) => entryWidth(layout)))
  }

  /** Whether some column holds integers and doubles that only their class tells apart. */
  get needsBigints(): boolean {
    return this.#layouts.some(({ layout }) => layout.columns.some((column) => column.affinity === 'blob'))
  }

  /** Errors: `TABLE_UNKNOWN`. */
  find(table: string): TableLayout {
    const found = this.current.find((layout) => layout.table === table) ?? this.current.find((layout) => layout.table.toLowerCase() === table.toLowerCase())
    if (found === undefined) throw new TidemarkError('TABLE_UNKNOWN', `The table '${table}' is not captured.`, { remedy: 'Name it in `tables` of the source.' })
    return found
  }

  /** The decoder of a layout for rows that were read in this way. */
  decoder(layoutId: number, reading: ReadingOptions): ChangeDecoder {
    this.#use(reading)
    const known = this.#decoders.get(layoutId)
    if (known !== undefined) return known
    const layout = this.#layouts.find((stored) => stored.layout.id === layoutId)?.layout
    if (layout === undefined) throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'The change log has an entry of a layout that it does not know.')
    const decoder = new ChangeDecoder(layout, reading)
    this.#decoders.set(layoutId, decoder)
    return decoder
  }

  /** A value of the log's own. */
  text(value: Value, reading: ReadingOptions): Value {
    this.#use(reading)
    this.#text ??= valueReader({ name: '', type: '', nullable: true, generated: false, affinity: 'text' }, reading)
    return this.#text(value)
  }

  /** Readers are compiled for one way of reading; another one is rare. */
  #use(reading: ReadingOptions): void {
    if (this.#reading?.form === reading.form && this.#reading.bigints === reading.bigints) return
    this.#reading = reading
    this.#decoders = new Map()
    this.#text = undefined
  }
}
