/** The lines of UTF-8, however its bytes are cut, without their line breaks. Errors: a `TypeError` for what is no UTF-8. */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  // In pieces: joined once per line, a long one is not copied for each of its pieces.
  let pieces: string[] = []
  const lines = function* (text: string): Generator<string> {
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      pieces.push(text.slice(start, end))
      yield pieces.join('')
      pieces = []
      start = end + 1
    }
    if (start < text.length) pieces.push(text.slice(start))
  }
  for await (const piece of bytes) yield* lines(decoder.decode(piece, { stream: true }))
  yield* lines(decoder.decode())
  if (pieces.length > 0) yield pieces.join('')
}
