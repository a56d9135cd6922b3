/** A field, and whether it stood in quotes. */
export interface CsvField {
  readonly text: string
  readonly isQuoted: boolean
}

/** Where a record, or a field, ends that is not whole yet. */
const NEEDS_MORE = -1

const PLAIN = /[^",\r\n]*/y

/**
 * Cuts text into records (RFC 4180; a line break is CRLF or LF). Text may be cut anywhere. A record that is not whole is looked at again only when
 * there is twice as much of it, so that the work stays linear.
 */
export class CsvRecords {
  #text = ''
  #retryAt = 0
  #at = 0
  #fields: CsvField[]

  constructor() {
    this.#fields = []
  }

  /** What is of no whole record yet. */
  get rest(): string {
    return this.#text
  }

  /** Errors: a `SyntaxError` for what is no CSV, behind the records that come before it. */
  * push(text: string, isLast = false): Generator<readonly CsvField[]> {
    this.#text += text
    if (this.#text.length < this.#retryAt && !isLast) return
    let start = 0
    while (start < this.#text.length) {
      const end = this.#record(start, isLast)
      if (end === NEEDS_MORE) break
      yield this.#fields
      start = end
    }
    this.#text = this.#text.slice(start)
    this.#retryAt = this.#text.length * 2
    if (isLast && this.#text !== '') throw new SyntaxError('It ends within a record.')
  }

  /** Where the next record begins. */
  #record(start: number, isLast: boolean): number {
    this.#fields = []
    this.#at = start
    for (;;) {
      if (!this.#field(isLast)) return NEEDS_MORE
      const next = this.#text[this.#at]
      this.#at += 1
      if (next === ',') continue
      if (next === '\n') return this.#at
      if (next === '\r' && this.#text[this.#at] === '\n') return this.#at + 1
      if (next === '\r' && this.#at < this.#text.length) throw new SyntaxError('A line break is not whole.')
      // At the end of the text: the last record needs no line break.
      if (next === undefined && isLast) return this.#text.length
      if (next === undefined || next === '\r') return NEEDS_MORE
      throw new SyntaxError('A quote is within a field.')
    }
  }

  /** Returns whether it is whole. */
  #field(isLast: boolean): boolean {
    if (this.#text[this.#at] === '"') return this.#quoted(isLast)
    PLAIN.lastIndex = this.#at
    const text = PLAIN.exec(this.#text)?.[0] ?? ''
    this.#at += text.length
    this.#fields.push({ text, isQuoted: false })
    return isLast || this.#at < this.#text.length
  }

  #quoted(isLast: boolean): boolean {
    let hasDoubled = false
    for (let from = this.#at + 1; ;) {
      const close = this.#text.indexOf('"', from)
      // What follows a quote decides whether it ends the field.
      if (close < 0 || (close + 1 === this.#text.length && !isLast)) return false
      if (this.#text[close + 1] !== '"') {
        const text = this.#text.slice(this.#at + 1, close)
        this.#fields.push({ text: hasDoubled ? text.replaceAll('""', '"') : text, isQuoted: true })
        this.#at = close + 1
        return true
      }
      hasDoubled = true
      from = close + 2
    }
  }
}
