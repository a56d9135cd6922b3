const LINE_FEED = 10

export interface WholeLines {
  /** Ends with a line break, except at the very end. */
  readonly text: string
  /** How many bytes of the source it and those before it were. */
  readonly end: number
}

/** UTF-8, however its bytes are cut, in texts of whole lines. Errors: a `TypeError` for what is no UTF-8. */
export async function* wholeLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<WholeLines> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  // In pieces: joined once per line, a long one is not copied for each of its pieces.
  let pieces: Uint8Array[] = []
  let end = 0
  const decoded = (): WholeLines => {
    let text = ''
    for (const piece of pieces) {
      text += decoder.decode(piece, { stream: true })
      end += piece.length
    }
    pieces = []
    return { text: text + decoder.decode(), end }
  }
  for await (const piece of bytes) {
    const cut = piece.lastIndexOf(LINE_FEED) + 1
    pieces.push(cut === 0 ? piece : piece.subarray(0, cut))
    if (cut === 0) continue
    yield decoded()
    if (cut < piece.length) pieces.push(piece.subarray(cut))
  }
  if (pieces.length > 0) yield decoded()
}
