import { TidemarkError } from '@tidemark/core/adapter'
import type { TextRow } from './check-result.ts'

/** A row as the text of its whole (manual, 8.16.6): `(1,"a b",)`. Nothing between two commas is NULL; a row has at least one column. Errors: `SOURCE_CORRUPT_RESULT`. */
export function parseRecord(text: string): TextRow {
  if (text[0] !== '(' || text.at(-1) !== ')') throw corrupt()
  const fields: (string | null)[] = []
  const end = text.length - 1
  for (let at = 1; at <= end;) {
    const [field, next] = text[at] === '"' ? quotedField(text, at + 1) : plainField(text, at, end)
    if (next !== end && text[next] !== ',') throw corrupt()
    fields.push(field)
    at = next + 1
  }
  return fields
}

function plainField(text: string, from: number, end: number): readonly [string | null, number] {
  const comma = text.indexOf(',', from)
  const to = comma === -1 ? end : comma
  return [to === from ? null : text.slice(from, to), to]
}

/** Quotes and backslashes stand there twice. */
function quotedField(text: string, from: number): readonly [string, number] {
  let at = from
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote === -1) throw corrupt()
    if (text[quote + 1] !== '"') return [text.slice(from, quote).replaceAll('""', '"').replaceAll('\\\\', '\\'), quote + 1]
    at = quote + 2
  }
}

function corrupt(): TidemarkError {
  return new TidemarkError('SOURCE_CORRUPT_RESULT', 'A result of the source is no row.')
}
