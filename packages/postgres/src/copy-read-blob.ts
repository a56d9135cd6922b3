import type { RowSink } from '@tidemark/core/adapter'
import { BACKSLASH, fieldEnd } from './copy-text.ts'

const LETTER_X = 0x78

/** Values of hexadecimal digits by their byte. */
const DIGITS = new Uint8Array(256)
for (let i = 0; i < 16; i += 1) {
  DIGITS[i.toString(16).charCodeAt(0)] = i
  DIGITS[i.toString(16).toUpperCase().charCodeAt(0)] = i
}

/** Blobs up to this size share one buffer; larger ones get their own, so that one of them is not kept for ever. */
const SHARED_BYTES = 64 * 1024
const shared = new Uint8Array(SHARED_BYTES)

/** `\\x6869`, its backslash escaped by COPY. `undefined` for a bytea in another output format. */
export function readBlob(bytes: Uint8Array, from: number, sink: RowSink): number | undefined {
  if (bytes[from] !== BACKSLASH || bytes[from + 1] !== BACKSLASH || bytes[from + 2] !== LETTER_X) return undefined
  const to = fieldEnd(bytes, from + 3)
  const length = (to - from - 3) / 2
  const blob = length <= SHARED_BYTES ? shared : new Uint8Array(length)
  for (let i = 0, at = from + 3; i < length; i += 1, at += 2) {
    blob[i] = ((DIGITS[bytes[at] ?? 0] ?? 0) << 4) | (DIGITS[bytes[at + 1] ?? 0] ?? 0)
  }
  sink.blob(blob, 0, length)
  return to
}
