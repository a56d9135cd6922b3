import { TidemarkError } from '@tidemark/core/adapter'

/** A place between two rows: how many rows of which range are before it, and how many of all. */
export interface ScanPlace {
  readonly range: number
  readonly rows: number
}

export function printPlace({ range, rows }: ScanPlace): string {
  return `${range}.${rows}`
}

/** Errors: `STATE_CORRUPT`. */
export function parsePlace(text: string | undefined): ScanPlace {
  if (text === undefined) return { range: 0, rows: 0 }
  const [, range, rows] = /^(\d+)\.(\d+)$/.exec(text) ?? []
  if (range === undefined || rows === undefined) throw new TidemarkError('STATE_CORRUPT', 'A stored place in an export is not one.')
  return { range: Number(range), rows: Number(rows) }
}
