import type { ExportView } from '../dialect/export-source.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { ChunkWriter } from './chunk-writer.ts'
import type { Chunk, ChunkReader } from './chunks/chunk.ts'
import type { PageMeter } from './chunks/page-meter.ts'
import type { ExportContext } from './export-context.ts'
import type { HeldJob } from './export-store.ts'
import { makeChunks } from './make-chunks.ts'

/** What a slice may still do. Shared by the streams that it copies. */
export interface SliceLimits {
  readonly signal: AbortSignal
  /** Whether the slice should end. Told how much was written. */
  isOver(bytes: number): boolean
}

export interface CopyStreamOptions {
  readonly context: ExportContext
  readonly job: HeldJob
  readonly index: number
  readonly view: ExportView
  readonly meter: PageMeter
  readonly limits: SliceLimits
}

const LOST: ReadonlySet<string> = new Set(['UPLOAD_UNKNOWN', 'UPLOAD_PARTS_INVALID'])

/** Copies until the stream or the slice is over; ends behind a save either way. */
export async function copyStream(options: CopyStreamOptions): Promise<void> {
  const writer = new ChunkWriter(options.context, options.job, options.index)
  const { signal } = options.limits
  try {
    if (writer.stream.phase === 'completing') await writer.complete(signal)
    if (writer.stream.phase === 'open') await writeChunks(writer, chunksOf(options, writer), options.limits)
    if (writer.stream.phase === 'completing') await writer.complete(signal)
  } catch (error) {
    if (!(error instanceof TidemarkError) || !LOST.has(error.code)) throw error
    await writer.restart(error, signal)
  }
}

function chunksOf({ context, job, view, meter }: CopyStreamOptions, { stream }: ChunkWriter): ChunkReader {
  const { spec, plan } = job.state
  return makeChunks({ view, stream, spec, meter, format: context.formatOf(spec), chunkBytes: plan?.partBytes ?? 0 })
}

/** While one chunk is on its way the next is rendered; they are saved in order. */
async function writeChunks(writer: ChunkWriter, chunks: ChunkReader, { signal, isOver }: SliceLimits): Promise<void> {
  let written: Promise<void> = Promise.resolve()
  let isLast = false
  try {
    for (let bytes = 0; !isLast && !isOver(bytes);) {
      const chunk: Chunk | undefined = await chunks.next(signal)
      await written
      if (chunk === undefined) return await writer.finishEmpty(signal)
      bytes = chunk.bytes.length
      isLast = chunk.isLast
      written = writer.write(chunk, signal)
      // It is awaited after the next chunk is rendered, whose own failure must not leave this one's unheard.
      written.catch(() => undefined)
    }
  } finally {
    await written
  }
}
