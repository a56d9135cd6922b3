export interface CutStatement {
  readonly bytes: Uint8Array
  readonly rows: number
}

/** Of a text of many rows, those of one statement. */
interface Stretch {
  readonly start: number
  readonly end: number
  readonly rows: number
}

const COMMA = 0x2c
/** `);` and a line break. */
const END = Uint8Array.of(0x29, 0x3b, 0x0a)
/** From a row's last byte to the next one's first: `)`, NUL, a line break, `(`. */
const BETWEEN = 4

/** Makes statements of a text that has many rows in it, with `)`, NUL, a line break and `(` between two: each as long as allowed, as `StatementBuffer` has them. */
export class StatementCutter {
  readonly #prefix: Uint8Array
  /** For what is between the prefix and the end. Less than nothing where these alone are too long: no row fits then. */
  readonly #room: number
  readonly #encoder = new TextEncoder()
  #scratch = new Uint8Array(0)

  /** `prefix`: with the first row's `(`. */
  constructor(prefix: string, maxBytes: number) {
    this.#prefix = this.#encoder.encode(prefix)
    this.#room = maxBytes - this.#prefix.length - END.length
  }

  /** Nothing from the first row on that fits in no statement. */
  cut(text: string): readonly CutStatement[] {
    const bytes = this.#encode(text)
    const stretches = this.#stretches(bytes)
    const around = this.#prefix.length + END.length
    // Exactly as much as is needed: of statements that are hardly longer than their prefix there may be one for each row.
    const out = new Uint8Array(stretches.reduce((sum, { start, end }) => sum + end - start + around, 0))
    let at = 0
    return stretches.map(({ start, end, rows }) => {
      const from = at
      at = this.#write(out, at, bytes.subarray(start, end))
      return { bytes: out.subarray(from, at), rows }
    })
  }

  /** Where each statement's rows are, with a comma for the NUL between two. */
  #stretches(bytes: Uint8Array): readonly Stretch[] {
    const stretches: Stretch[] = []
    let [start, end, rows] = [0, 0, 0]
    const take = (): void => {
      if (rows > 0) stretches.push({ start, end, rows })
      rows = 0
    }
    for (let row = 0; row >= 0 && row <= bytes.length;) {
      const nul = bytes.indexOf(0, row)
      const rowEnd = nul < 0 ? bytes.length : nul - 1
      if (rowEnd - start > this.#room) {
        take()
        start = row
        if (rowEnd - start > this.#room) return stretches
      }
      end = rowEnd
      rows += 1
      if (nul >= 0) bytes[nul] = COMMA
      row = nul < 0 ? -1 : rowEnd + BETWEEN
    }
    take()
    return stretches
  }

  #write(out: Uint8Array, at: number, rows: Uint8Array): number {
    out.set(this.#prefix, at)
    out.set(rows, at + this.#prefix.length)
    out.set(END, at + this.#prefix.length + rows.length)
    return at + this.#prefix.length + rows.length + END.length
  }

  #encode(text: string): Uint8Array {
    // Nearly all of most texts is ASCII; where it isn't, there is room for the widest at the second try.
    if (this.#scratch.length < text.length) this.#scratch = new Uint8Array(text.length * 2)
    let { read, written } = this.#encoder.encodeInto(text, this.#scratch)
    if (read < text.length) {
      this.#scratch = new Uint8Array(text.length * 3);
      ({ read, written } = this.#encoder.encodeInto(text, this.#scratch))
    }
    return this.#scratch.subarray(0, written)
  }
}
