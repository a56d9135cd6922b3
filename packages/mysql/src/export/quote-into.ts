const QUOTE = 0x27
const ODD = 1
const DOUBLED = 2

/** Of each byte: whether a quoted literal can't hold it (backslash, carriage return, NUL and 0x1A: what they mean depends on who reads them, see `literalExpression`), or has it twice. */
const CLASSES = new Uint8Array(256)
for (const byte of [0x5c, 0x0d, 0x00, 0x1a]) CLASSES[byte] = ODD
CLASSES[QUOTE] = DOUBLED

export interface QuotedText {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** Writes a text as a quoted literal, for which there is room, and gives where it ends; -1: it can't be quoted so. */
export function quoteInto(target: Uint8Array, at: number, { bytes, start, end }: QuotedText): number {
  let position = at
  target[position++] = QUOTE
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0
    const found = CLASSES[byte]
    if (found !== 0) {
      if (found === ODD) return -1
      target[position++] = QUOTE
    }
    target[position++] = byte
  }
  target[position++] = QUOTE
  return position
}
