import type { Cursor, RowStream, Value } from '@tidemark/core/adapter'
import { CollectingSink } from './collecting-sink.ts'

/** Drains a stream into values. `breakAt` cuts every chunk into pieces of that many bytes. */
export async function readStream(stream: RowStream, breakAt = Number.MAX_SAFE_INTEGER): Promise<{ rows: Value[][]; last: Cursor | undefined }> {
  const sink = new CollectingSink()
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; at += breakAt) stream.decoder.push(chunk.slice(at, at + breakAt), sink)
  }
  stream.decoder.end()
  return { rows: sink.rows, last: stream.decoder.last }
}
