// COPY's text format (manual, COPY, "File Formats"): fields end with a tab, rows with a newline, and neither stands
// for itself inside a value, so that both can be looked for in raw bytes, also inside UTF-8.
export const TAB = 0x09
export const NEWLINE = 0x0a
export const BACKSLASH = 0x5c
export const CAPITAL_N = 0x4e

/** What `\b` and so on stand for; 0 for every other byte, which then stands for itself. */
const ESCAPED = new Uint8Array(256)
for (const [letter, byte] of [['b', 8], ['f', 12], ['n', 10], ['r', 13], ['t', 9], ['v', 11]] as const) {
  ESCAPED[letter.charCodeAt(0)] = byte
}

/** Where the field that begins at `from` ends. The bytes must hold a whole row. */
export function fieldEnd(bytes: Uint8Array, from: number): number {
  let at = from
  for (let byte = bytes[at]; byte !== TAB && byte !== NEWLINE && byte !== undefined; byte = bytes[at]) at += 1
  return at
}

/** Writes a field without its escapes to `into` and gives the number of bytes; `into` must be as long as the field. */
export function unescapeField(bytes: Uint8Array, range: { readonly from: number; readonly to: number }, into: Uint8Array): number {
  let length = 0
  for (let at = range.from; at < range.to; at += 1) {
    let byte = bytes[at] ?? 0
    if (byte === BACKSLASH) {
      at += 1
      const next = bytes[at] ?? 0
      byte = ESCAPED[next] || next
    }
    into[length] = byte
    length += 1
  }
  return length
}
