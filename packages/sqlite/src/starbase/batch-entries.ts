import { TidemarkError } from '@tidemark/core/adapter'
import type { SqliteValue } from '../driver.ts'
import { cellJson } from './cell-json.ts'

/** Of a value that a Durable Object stores, with room for what is around it (developers.cloudflare.com, limits). */
const MAX_ENTRY_CHARACTERS = 1_900_000
/** What one statement carries: instances pass it from one object to another, of 1 MiB at most in older releases. */
const PIECE_CHARACTERS = 500_000

/** A statement of a batch: its program's name, and its values. Errors: `TARGET_ROW_TOO_LARGE`, `VALUE_UNREPRESENTABLE`. */
export function cellsJson(parameters: readonly SqliteValue[]): string {
  const text = `[${parameters.map(cellJson).join(',')}]`
  // A character may be as many as three bytes.
  if (text.length > MAX_ENTRY_CHARACTERS || (text.length * 3 > MAX_ENTRY_CHARACTERS && byteLength(text) > MAX_ENTRY_CHARACTERS)) {
    throw new TidemarkError('TARGET_ROW_TOO_LARGE', 'A row is larger than the instance takes; bytes need twice their number.')
  }
  return text
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}

/** Entries as JSON lists, each short enough for a statement where it has more than one. At least one. */
export function piecesOf(entries: readonly { readonly program: string; readonly cells: string }[]): readonly string[] {
  const pieces: string[][] = [[]]
  let size = 0
  for (const { program, cells } of entries) {
    if (size > 0 && size + cells.length > PIECE_CHARACTERS) {
      pieces.push([])
      size = 0
    }
    pieces.at(-1)?.push(`["${program}",${cells}]`)
    size += cells.length
  }
  return pieces.map((piece) => `[${piece.join(',')}]`)
}
