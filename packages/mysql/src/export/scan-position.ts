import { TidemarkError } from '@tidemark/core/adapter'

/** A place between rows, or between the statements that one long row takes. */
export interface ScanPosition {
  /** Rows before it. */
  readonly rows: number
  /** Statements of the next row that are before it. */
  readonly pieces: number
  /** Key of the row before it; empty at the beginning, and in a table without a key. */
  readonly key: readonly string[]
}

const START: ScanPosition = { rows: 0, pieces: 0, key: [] }

export function printPosition({ rows, pieces, key }: ScanPosition): string {
  return JSON.stringify([rows, pieces, ...key])
}

/** Errors: `STATE_CORRUPT`. */
export function parsePosition(text: string | undefined): ScanPosition {
  if (text === undefined) return START
  const parsed: unknown = JSON.parse(text)
  const [rows, pieces, ...key]: readonly unknown[] = Array.isArray(parsed) ? parsed : []
  const isText = (value: unknown): value is string => typeof value === 'string'
  if (Number.isSafeInteger(rows) && Number.isSafeInteger(pieces) && key.every(isText)) return { rows: Number(rows), pieces: Number(pieces), key }
  throw new TidemarkError('STATE_CORRUPT', 'A stored place in an export is not one.')
}
