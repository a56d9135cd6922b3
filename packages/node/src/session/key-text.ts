import { cursorText, cursorValue } from '@tidemark/sqlite'
import { TidemarkError, type ChangeRow } from '@tidemark/core/adapter'
import type { Parameter } from './statements.ts'

/** A row's key as text, and as where a snapshot goes on: equal keys give equal text. A session has no NULL in a key. */
export function keyText(key: ChangeRow): string {
  return JSON.stringify(Object.values(key).map((value) => value === null ? null : cursorText(value)))
}

/** The reverse of {@link keyText}, for binding. Errors: `STATE_CORRUPT`. */
export function keyParameters(text: string, count: number): readonly Parameter[] {
  const values = parse(text)
  if (values.length !== count) throw corrupt()
  return values.map((value) => {
    if (typeof value !== 'string') throw corrupt()
    return cursorValue(value)
  })
}

function parse(text: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(text)
    if (Array.isArray(parsed)) return parsed
  } catch {
    // Said below, without quoting it.
  }
  throw corrupt()
}

function corrupt(): TidemarkError {
  return new TidemarkError('STATE_CORRUPT', 'The place in the snapshot is none that this table gave.')
}
