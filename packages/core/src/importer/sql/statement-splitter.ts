import { HeldBytes } from './held-bytes.ts'
import type { SqlRules } from '../../dialect/sql-rules.ts'
import { TriggerWatch } from './trigger-watch.ts'

/** A statement without its semicolon, from its first word on. */
export interface SplitStatement {
  /** A view: valid until the next one is asked for. */
  readonly bytes: Uint8Array
  /** Where it begins, in bytes from the first that was pushed. */
  readonly offset: number
}

/** What is being looked at: code, a comment, or, as its last byte, a quoted stretch. */
const CODE = 0
const LINE_COMMENT = 1
const BLOCK_COMMENT = 2

const LINE_BREAK = 10
const STAR = 42
const DASH = 45
const SLASH = 47
const SEMICOLON = 59

/** Bytes of a quoted stretch that are looked at one by one before a search is worth its call. */
const NEAR_BYTES = 48

/**
 * Cuts SQL into statements. Bytes may be cut anywhere, also within a character: all that is looked for is ASCII, whose bytes are part of no
 * other character of UTF-8. Every byte is looked at once; memory is the longest statement.
 */
export class StatementSplitter {
  readonly #watch: TriggerWatch
  /** By byte: 0 for nothing special, its own close where it opens a quoted stretch, 1 for what else needs a look. */
  readonly #special = new Uint8Array(256)
  readonly #held = new HeldBytes()
  #mode = CODE
  /** Of the held bytes, how many were looked at. */
  #at = 0
  /** Where the held bytes begin, counted from the first that was pushed. */
  #offset = 0
  /** Where the statement at hand begins, or the next one at the earliest; in the text at hand. */
  #start = 0

  constructor(rules: SqlRules) {
    this.#watch = new TriggerWatch(rules.hasTriggerBodies)
    for (const byte of [SEMICOLON, DASH, SLASH]) this.#special[byte] = 1
    for (const [open, close] of Object.entries(rules.quotes)) this.#special[open.charCodeAt(0)] = close.charCodeAt(0)
  }

  /** Bytes that are held because their statement is not whole. */
  get heldBytes(): number {
    return this.#held.length
  }

  /** The statements that are whole now. */
  * push(bytes: Uint8Array): Generator<SplitStatement> {
    const text = this.#held.with(bytes)
    this.#start = 0
    while (this.#at < text.length) {
      const before = this.#at
      const isEnd = this.#advance(text)
      if (isEnd) yield this.#take(text, this.#at - 1)
      else if (this.#at === before) break
    }
    if (this.#watch.isBlank) this.#start = this.#at
    this.#held.keep(text, this.#start)
    this.#offset += this.#start
    this.#at -= this.#start
  }

  /** What has no semicolon behind it, if that is more than blanks and comments. */
  * end(): Generator<SplitStatement> {
    // A blank, so that what waits for the byte behind it has one.
    yield* this.push(Uint8Array.of(LINE_BREAK))
    if (this.#watch.isBlank) return
    const text = this.#held.with(new Uint8Array(0))
    yield { bytes: text.subarray(0, text.length - 1), offset: this.#offset }
  }

  #take(text: Uint8Array, end: number): SplitStatement {
    const statement = { bytes: text.subarray(this.#start, end), offset: this.#offset + this.#start }
    this.#start = this.#at
    return statement
  }

  /** Goes on by a stretch; stays where it is when the byte behind the text decides. Returns whether that was a statement's semicolon. */
  #advance(text: Uint8Array): boolean {
    if (this.#mode === LINE_COMMENT) this.#toLineBreak(text)
    else if (this.#mode === BLOCK_COMMENT) this.#toCommentEnd(text)
    else if (this.#mode !== CODE) this.#toQuoteEnd(text)
    else return this.#code(text)
    return false
  }

  #toLineBreak(text: Uint8Array): void {
    const found = text.indexOf(LINE_BREAK, this.#at)
    this.#at = found < 0 ? text.length : found + 1
    if (found >= 0) this.#mode = CODE
  }

  #toCommentEnd(text: Uint8Array): void {
    const found = text.indexOf(STAR, this.#at)
    const isLast = found === text.length - 1
    if (found < 0 || isLast) this.#at = isLast ? found : text.length
    else if (text[found + 1] !== SLASH) this.#at = found + 1
    else this.#leave(found + 2)
  }

  #toQuoteEnd(text: Uint8Array): void {
    const close = this.#mode
    const near = Math.min(text.length, this.#at + NEAR_BYTES)
    for (let at = this.#at; at < near; at += 1) if (text[at] === close) return this.#leave(at + 1)
    const found = text.indexOf(close, near)
    if (found >= 0) return this.#leave(found + 1)
    this.#at = text.length
  }

  #leave(at: number): void {
    this.#at = at
    this.#mode = CODE
  }

  #code(text: Uint8Array): boolean {
    if (this.#watch.isPlain) this.#skipPlain(text)
    else this.#words(text)
    const byte = text[this.#at]
    if (byte === undefined || (this.#special[byte] ?? 0) === 0) return false
    return this.#meet(text, byte)
  }

  #skipPlain(text: Uint8Array): void {
    const special = this.#special
    let at = this.#at
    while (at < text.length && special[text[at] ?? 0] === 0) at += 1
    this.#at = at
  }

  /** Up to something special, or a word that may go on behind the text. */
  #words(text: Uint8Array): void {
    while (this.#at < text.length && !this.#watch.isPlain) {
      const byte = text[this.#at] ?? 0
      if (this.#special[byte] !== 0) return
      if (isBlank(byte)) this.#at += 1
      else if (!this.#word(text)) return
    }
  }

  /** Returns whether it is whole. */
  #word(text: Uint8Array): boolean {
    const start = this.#at
    let end = start
    while (end < text.length && isWordByte(text[end] ?? 0)) end += 1
    if (end === text.length && end > start) return false
    this.#token(end === start ? '' : String.fromCharCode(...text.subarray(start, Math.min(end, start + 16))))
    this.#at = Math.max(end, start + 1)
    return true
  }

  /** Before it is passed: a statement begins with its first token. */
  #token(word: string): void {
    if (this.#watch.isBlank) this.#start = this.#at
    this.#watch.word(word)
  }

  /** A semicolon, a quote, or what may begin a comment. */
  #meet(text: Uint8Array, byte: number): boolean {
    if (byte === SEMICOLON) return this.#semicolon()
    const close = this.#special[byte] ?? 0
    if (close > 1) return this.#enter(close, 1)
    const next = text[this.#at + 1]
    if (next === undefined) return false
    if (byte === DASH && next === DASH) return this.#comment(LINE_COMMENT)
    if (byte === SLASH && next === STAR) return this.#comment(BLOCK_COMMENT)
    this.#token('')
    this.#at += 1
    return false
  }

  /** One that ends nothing but blanks is passed. */
  #semicolon(): boolean {
    const wasBlank = this.#watch.isBlank
    this.#at += 1
    return this.#watch.semicolon() && !wasBlank
  }

  #enter(close: number, length: number): false {
    this.#token('')
    this.#mode = close
    this.#at += length
    return false
  }

  #comment(mode: number): false {
    this.#mode = mode
    this.#at += 2
    return false
  }
}

function isBlank(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13)
}

function isWordByte(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || byte === 95 || (byte >= 97 && byte <= 122) || byte >= 128
}
