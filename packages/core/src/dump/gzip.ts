import { collectBytes } from './collect-bytes.ts'
import type { Compression } from './compression.ts'

/** What is used of a host's transform stream. */
interface Transform {
  readonly writable: { getWriter(): Writer }
  readonly readable: { getReader(): Reader }
}

interface Writer {
  readonly ready: Promise<unknown>
  write(chunk: Uint8Array): Promise<void>
  close(): Promise<void>
  abort(reason?: unknown): Promise<void>
}

interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  cancel(reason?: unknown): Promise<void>
}

/** RFC 1952, by the host's own compression streams: Node, Bun, Deno, Workers. The same bytes give the same bytes on one host: no time is in the header. */
export const gzip: Compression = {
  name: 'gzip',
  extension: 'gz',
  compress: (bytes) => collectBytes(through(each(bytes), new CompressionStream('gzip')), Number.MAX_SAFE_INTEGER),
  decompress: (bytes) => through(bytes, new DecompressionStream('gzip')),
}

/**
 * A stream's output for an input. The input is fed beside the reading, one piece at a time; what goes wrong with either is what the reading throws, and
 * a reading that ends early ends the input as well.
 */
async function* through(source: AsyncIterable<Uint8Array>, { readable, writable }: Transform): AsyncGenerator<Uint8Array> {
  const writer = writable.getWriter()
  const reader = readable.getReader()
  const fed = feed(source, writer)
  // It is awaited at the end; until then nobody listens.
  fed.catch(() => undefined)
  let isOver = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done || value === undefined) break
      yield value
    }
    isOver = true
    await fed
  } finally {
    if (!isOver) await Promise.allSettled([reader.cancel(), writer.abort()])
  }
}

async function feed(source: AsyncIterable<Uint8Array>, writer: Writer): Promise<void> {
  try {
    for await (const piece of source) {
      await writer.ready
      await writer.write(piece)
    }
    await writer.close()
  } catch (error) {
    await writer.abort(error).catch(() => undefined)
    throw error
  }
}

async function* each(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}
