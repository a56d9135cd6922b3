/**
 * Where in a statement we are, as far as it decides whether a semicolon ends it.
 *
 * - `start`: nothing but blanks and comments yet.
 * - `create`: `CREATE`, and `TEMP` or `TEMPORARY`; the next word says whether it is a trigger.
 * - `plain`: a semicolon ends it.
 * - `trigger`: in the body, where none does, except
 * - `semicolon`: after one; if now comes
 * - `end`: the word END, then the next one does.
 */
type Place = 'start' | 'create' | 'plain' | 'trigger' | 'semicolon' | 'end'

const TEMPORARY: ReadonlySet<string> = new Set(['TEMP', 'TEMPORARY'])

/** Follows the words of a statement. The rule is SQLite's own, from the documentation of `sqlite3_complete()`. */
export class TriggerWatch {
  readonly #hasBodies: boolean
  #place: Place = 'start'

  constructor(hasBodies: boolean) {
    this.#hasBodies = hasBodies
  }

  get isBlank(): boolean {
    return this.#place === 'start'
  }

  /** Whether words don't matter until the semicolon: all that is left is to find it. */
  get isPlain(): boolean {
    return this.#place === 'plain'
  }

  /** A word, or `''` for anything else that is no blank: a number, an operator, something quoted. */
  word(text: string): void {
    this.#place = this.#after(text.toUpperCase())
  }

  /** Returns whether the statement has ended. */
  semicolon(): boolean {
    const isEnd = this.#place !== 'trigger' && this.#place !== 'semicolon'
    this.#place = isEnd ? 'start' : 'semicolon'
    return isEnd
  }

  #after(word: string): Place {
    switch (this.#place) {
      case 'start': return this.#hasBodies && word === 'CREATE' ? 'create' : 'plain'
      case 'create': return word === 'TRIGGER' ? 'trigger' : TEMPORARY.has(word) ? 'create' : 'plain'
      case 'semicolon': return word === 'END' ? 'end' : 'trigger'
      case 'end': return 'trigger'
      default: return this.#place
    }
  }
}
