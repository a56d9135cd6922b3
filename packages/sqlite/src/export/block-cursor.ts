import { TidemarkError } from '@tidemark/core/adapter'

/** Where blocks go on. */
export interface BlockCursor {
  /** Literals of the last row's key. */
  readonly key: string | undefined
  /** Statements behind it that are written already: of one long row, or of the group of rows that begins there. */
  readonly piece: number
  /** Rows up to the key, for a table of which only so many are wanted. */
  readonly rows: number
}

/** The key as it stands, with the numbers before it. */
export function printCursor({ key = '', piece, rows }: BlockCursor): string {
  return `${piece}:${rows}:${key}`
}

export function parseCursor(text: string | undefined): BlockCursor {
  if (text === undefined) return { key: undefined, piece: 0, rows: 0 }
  const [, piece, rows, key] = /^(\d+):(\d+):(.*)$/s.exec(text) ?? []
  if (key === undefined) throw new TidemarkError('STATE_CORRUPT', 'A cursor of the export can\'t be read.')
  return { key: key === '' ? undefined : key, piece: Number(piece), rows: Number(rows) }
}
