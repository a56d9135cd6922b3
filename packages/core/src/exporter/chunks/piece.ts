import type { StreamCursor } from '../export-state.ts'

/** The least that a stream is cut into: whole statements, whole rows. */
export interface Piece {
  readonly bytes: Uint8Array
  readonly rows: number
  /** Whose rows; `undefined` for statements. */
  readonly table: number | undefined
  /** Where the next piece begins. */
  readonly cursor: StreamCursor
  /** Whether a chunk of whole pieces may not end behind it. */
  readonly continues?: boolean | undefined
}

/** The pieces of a stream, in order, a page at a time. */
export interface PieceReader {
  /** `undefined` behind the last. A page may be empty. */
  next(signal: AbortSignal): Promise<readonly Piece[] | undefined>
}
