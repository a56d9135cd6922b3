import type { RowSink } from '@tidemark/core/adapter'

const TAB = 0x09
const NEWLINE = 0x0a
const SPACE = 0x20
const PLUS = 0x2b
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const LETTER_T = 0x54
const LETTER_Z = 0x5a

const SECONDS_LENGTH = 19
const CANONICAL_LENGTH = 26

/** Reused: a sink copies before it returns. */
const scratch = new Uint8Array(CANONICAL_LENGTH + 1)

/**
 * `2024-01-02 03:04:05.6+00` rewritten as `2024-01-02T03:04:05.600000Z`. `undefined`, with nothing given to the sink,
 * for infinities, BC, years above 9999 and a zone that is not UTC: the codec then decides.
 */
export function readTimestamp(bytes: Uint8Array, from: number, to: { readonly sink: RowSink; readonly utc: boolean }): number | undefined {
  if (bytes[from + 4] !== MINUS || bytes[from + 10] !== SPACE || bytes[from + 13] !== COLON) return undefined
  for (let i = 0; i < SECONDS_LENGTH; i += 1) scratch[i] = bytes[from + i] ?? 0
  scratch[10] = LETTER_T
  scratch[SECONDS_LENGTH] = POINT
  let at = from + SECONDS_LENGTH
  let length = SECONDS_LENGTH + 1
  if (bytes[at] === POINT) {
    at += 1
    for (let byte = bytes[at] ?? 0; byte >= ZERO && byte < COLON; byte = bytes[at] ?? 0) {
      scratch[length] = byte
      length += 1
      at += 1
    }
  }
  while (length < CANONICAL_LENGTH) {
    scratch[length] = ZERO
    length += 1
  }
  if (to.utc) {
    if (bytes[at] !== PLUS || bytes[at + 1] !== ZERO || bytes[at + 2] !== ZERO) return undefined
    at += 3
    scratch[length] = LETTER_Z
    length += 1
  }
  if (bytes[at] !== TAB && bytes[at] !== NEWLINE) return undefined
  to.sink.text(scratch, 0, length)
  return at
}
