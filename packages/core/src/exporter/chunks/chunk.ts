import type { StreamCursor } from '../export-state.ts'

/** Bytes that are written at once. */
export interface Chunk {
  /** Free to be overwritten by the chunk after the next. */
  readonly bytes: Uint8Array
  /** By table. */
  readonly rows: Readonly<Record<number, number>>
  readonly rowCount: number
  /** Where the stream goes on. Of the last chunk: the section behind the stream. */
  readonly cursor: StreamCursor
  readonly isLast: boolean
}

export interface ChunkReader {
  /** `undefined` behind the last. A stream without bytes has no chunk. */
  next(signal: AbortSignal): Promise<Chunk | undefined>
}
