const LINE_BREAK = 10

/** The line, from 1, in which a byte stands. Reads everything before it: lines are counted only when somebody needs to know. */
export async function lineAt(source: AsyncIterable<Uint8Array>, offset: number): Promise<number> {
  let line = 1
  let start = 0
  for await (const bytes of source) {
    const before = bytes.subarray(0, Math.max(0, offset - start))
    for (let at = before.indexOf(LINE_BREAK); at >= 0; at = before.indexOf(LINE_BREAK, at + 1)) line += 1
    start += bytes.length
    if (start >= offset) break
  }
  return line
}
