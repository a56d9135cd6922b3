import { TidemarkError, toSequence, type ChangeEvent, type ChangeTransaction, type ReadChangesRequest, type RowValues, type SchemaChange } from '@tidemark/core/adapter'
import type { CapturedTables } from './captured-tables.ts'
import type { ChangeDecoder, DecodeContext, EntryPlace } from './change-decoder.ts'
import type { CommitBoundaries } from './commit-boundaries.ts'
import { eventBytes } from './event-bytes.ts'
import { ENTRY, kindOf, layoutOf, type MarkKind } from './log-entry.ts'
import { originName } from './origin-text.ts'
import { toChangeTable } from './to-change-table.ts'
import type { ReadingOptions } from './value-reading.ts'

/** Where `seq`, `k` and the first value stand in a row. */
const SEQ = 0
const CODE = 1
const VALUES = 2

export interface DecodeRequest {
  readonly rows: readonly RowValues[]
  readonly reading: ReadingOptions
  readonly context: DecodeContext
  readonly limit: ReadChangesRequest['limit']
  /** The number before the first row. */
  readonly after: number
  /** Changes of the same transaction that came before the first row. */
  readonly before: number
  readonly boundaries: CommitBoundaries
  /** Of the transaction that the rows are in the middle of. */
  readonly end: number | undefined
  /** Whose change that transaction applied, as its mark says. */
  readonly origin: string | undefined
}

/** What a page of entries came to. */
export interface DecodedPage {
  readonly events: readonly ChangeEvent[]
  readonly schemas: readonly SchemaChange[]
  /** The number of the last entry used; that before the first when there was none. */
  readonly last: number
  readonly lastRow: RowValues | undefined
  readonly bytes: number
  /** How many rows were used. */
  readonly used: number
  /** Changes so far of the transaction of the last one. */
  readonly counted: number
  /** As the mark says, where the events are those of a transaction that applied a peer's change. */
  readonly origin: string | undefined
  /** Whether that transaction ends with the page. */
  readonly isOriginEnd: boolean
}

/** A transaction's place while its events are made; `last` is set when its end has come. */
type OpenTransaction = { -readonly [Key in keyof ChangeTransaction]: ChangeTransaction[Key] }

/** Makes events of entries, up to the limit, the next mark or the rows' end. */
export class PageDecoder {
  readonly #request: DecodeRequest
  readonly #tables: CapturedTables
  readonly #events: ChangeEvent[] = []
  readonly #schemas: SchemaChange[] = []
  #bytes = 0
  #counted: number
  #end: number
  #id: string
  #tx: OpenTransaction | undefined
  #origin: string | undefined
  #isOriginEnd = false

  constructor(tables: CapturedTables, request: DecodeRequest) {
    this.#tables = tables
    this.#request = request
    this.#counted = request.before
    this.#origin = request.origin
    this.#end = request.end ?? request.boundaries.next(request.after + 1) ?? Number.POSITIVE_INFINITY
    this.#id = this.#transactionId()
  }

  decode(): DecodedPage {
    const { rows, limit, after } = this.#request
    let used = 0
    while (!this.#isOriginEnd && used < rows.length && this.#events.length < limit.events && this.#bytes < limit.bytes) {
      const step = this.#entry(used)
      if (step === 0) break
      used += step
    }
    const lastRow = rows[used - 1]
    return { events: this.#events, schemas: this.#schemas, bytes: this.#bytes, used, counted: this.#counted, origin: this.#origin, isOriginEnd: this.#isOriginEnd, lastRow, last: lastRow === undefined ? after : Number(lastRow[SEQ]) }
  }

  /** How many rows were taken; 0 to end the page before this one. */
  #entry(index: number): number {
    const row = this.#request.rows[index]
    if (row === undefined) return 0
    const code = Number(row[CODE])
    const kind = kindOf(code)
    if (kind === ENTRY.mark) return this.#mark(row, layoutOf(code))
    // The other half comes with the next page.
    const partner = kind === ENTRY.updateBefore ? this.#request.rows[index + 1] : undefined
    if (kind === ENTRY.updateBefore && partner === undefined) return 0
    const seq = Number((partner ?? row)[SEQ])
    this.#advance(seq)
    const decoder = this.#tables.decoder(layoutOf(code), this.#request.reading)
    this.#events.push(decodeEntry(decoder, this.#place(seq), { row, partner }))
    this.#bytes += eventBytes(row) + (partner === undefined ? 0 : eventBytes(partner))
    this.#close(seq)
    return partner === undefined ? 1 : 2
  }

  /** A mark changes what the events behind it mean, so it can only stand in front of a page's first. */
  #mark(row: RowValues, layoutId: number): number {
    const seq = Number(row[SEQ])
    const mark = this.#text(row, VALUES) as MarkKind // written by writeMark
    if (mark === 'origin') this.#endBefore(seq)
    if (mark === 'origin-end') return this.#endOrigin(seq)
    if (this.#events.length > 0) return 0
    this.#advance(seq)
    if (mark === 'origin') this.#origin = this.#text(row, VALUES + 1)
    else this.#apply(mark, layoutId, seq)
    this.#close(seq)
    return 1
  }

  #text(row: RowValues, at: number): string {
    return String(this.#tables.text(row[at] ?? null, this.#request.reading))
  }

  /** The mark begins a transaction: another ended before it, which nobody may have seen. */
  #endBefore(seq: number): void {
    if (seq - 1 <= this.#request.after) return
    this.#request.boundaries.add(seq - 1)
    if (this.#tx !== undefined) this.#tx.last = true
  }

  /** Nothing behind it belongs to the slice, whose events all have one origin. */
  #endOrigin(seq: number): number {
    this.#advance(seq)
    this.#request.boundaries.add(seq)
    this.#isOriginEnd = true
    if (this.#tx !== undefined) this.#tx.last = true
    return 1
  }

  #apply(mark: Exclude<MarkKind, 'origin' | 'origin-end'>, layoutId: number, seq: number): void {
    if (mark === 'begin') return
    const { layout } = this.#tables.decoder(layoutId, this.#request.reading)
    switch (mark) {
      case 'schema':
        this.#schemas.push({ type: 'schema', ...toChangeTable(layout), table: layout.table })
        return
      case 'dropped':
        this.#schemas.push({ type: 'schema', schema: 'main', table: layout.table, columns: undefined, key: [], version: layout.version })
        return
      case 'truncate':
        this.#events.push(this.#tables.decoder(layoutId, this.#request.reading).truncate(this.#place(seq)))
        return
      case 'gap':
        throw new TidemarkError('CHANGE_GAP', `The table '${layout.table}' was made anew, and writes to it may not have been logged.`, { detail: 'table-replaced' })
      default:
        mark satisfies never
    }
  }

  /** Moves on to the transaction of this entry. */
  #advance(seq: number): void {
    while (seq > this.#end) {
      this.#counted = 0
      this.#end = this.#request.boundaries.next(this.#end + 1) ?? Number.POSITIVE_INFINITY
      this.#id = this.#transactionId()
    }
  }

  #transactionId(): string {
    return `${this.#request.context.epoch}:${toSequence(Number.isFinite(this.#end) ? this.#end : this.#request.after)}`
  }

  #place(seq: number): EntryPlace {
    this.#tx = { id: this.#id, sequence: this.#counted, last: false, committedAtMs: undefined, origin: originName(this.#origin) }
    this.#counted += 1
    return { context: this.#request.context, seq, tx: this.#tx }
  }

  #close(seq: number): void {
    if (seq === this.#end && this.#tx !== undefined) this.#tx.last = true
  }
}

/** Whether a transaction that applied a peer's change begins with this entry. */
export function isOriginMark(tables: CapturedTables, row: RowValues | undefined, reading: ReadingOptions): boolean {
  const mark: MarkKind = 'origin'
  return row !== undefined && kindOf(Number(row[CODE])) === ENTRY.mark && String(tables.text(row[VALUES] ?? null, reading)) === mark
}

function decodeEntry(decoder: ChangeDecoder, place: EntryPlace, { row, partner }: { readonly row: RowValues; readonly partner: RowValues | undefined }): ChangeEvent {
  const cells = { row, at: VALUES }
  const kind = kindOf(Number(row[CODE]))
  switch (kind) {
    case ENTRY.insert: return decoder.insert(place, cells)
    case ENTRY.update: return decoder.update(place, cells)
    case ENTRY.delete: return decoder.delete(place, cells)
    case ENTRY.updateBefore: return decoder.updatePair(place, cells, { row: partner ?? [], at: VALUES })
    case ENTRY.refresh: return decoder.refresh(place, cells)
    case ENTRY.refreshGone: return decoder.refreshGone(place, cells)
    case ENTRY.updateAfter:
    case ENTRY.mark:
      throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'The change log has an entry where none of its kind can be.')
    default:
      kind satisfies never
      throw new TidemarkError('INTERNAL', 'An entry of the change log has no kind.')
  }
}
