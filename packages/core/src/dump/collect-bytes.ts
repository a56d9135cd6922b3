import { TidemarkError } from '../errors/tidemark-error.ts'

/** All of a stream in one piece. Errors: `DUMP_CORRUPT` where that would be more than `maxBytes`. */
export async function collectBytes(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of source) {
    length += piece.length
    if (length > maxBytes) throw new TidemarkError('DUMP_CORRUPT', 'An object of the dump is larger than it may be.')
    pieces.push(piece)
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
