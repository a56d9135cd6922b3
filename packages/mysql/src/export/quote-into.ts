const QUOTE = 0x27

/** Backslash, carriage return, NUL and 0x1A: what they mean depends on who reads them, see `literalExpression`. */
const ODD = new Uint8Array(256)
for (const byte of [0x5c, 0x0d, 0x00, 0x1a]) ODD[byte] = 1

/** Writes a text as a quoted literal, for which there is room, and gives where it ends; `undefined`: it can't be quoted so. */
export function quoteInto(target: Uint8Array, at: number, text: Uint8Array): number | undefined {
  let position = at
  target[position++] = QUOTE
  for (let i = 0; i < text.length; i++) {
    const byte = text[i] ?? 0
    if (ODD[byte] === 1) return undefined
    if (byte === QUOTE) target[position++] = QUOTE
    target[position++] = byte
  }
  target[position++] = QUOTE
  return position
}
