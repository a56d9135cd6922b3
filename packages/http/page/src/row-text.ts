import type { Change } from './answers.ts'

const VALUE_LENGTH = 80
const ROW_LENGTH = 400

/** A change as `changeToJson` wrote it. Integers that a number can't hold keep their digits. */
export function parseChange(line: string): Change {
  const exact = line.replaceAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) => (/^-?\d{16,}$/.test(token) ? `{"$integer":"${token}"}` : token))
  return JSON.parse(exact) as Change // one line of changeToJson
}

/** The row as text: of an update what has changed, where both sides are known. */
export function rowText({ op, key, before, after, changed }: Change): string {
  const [old, fresh] = [rowOf(before), rowOf(after)]
  const isKnown = op === 'update' && changed !== undefined
  const parts = isKnown
    ? [...pairs(rowOf(key)), ...changed.map((name) => `${name}: ${valueText(old[name])} → ${valueText(fresh[name])}`)]
    : pairs(after === null ? (before === null ? rowOf(key) : old) : fresh)
  return shortened(parts.join(' · '), ROW_LENGTH)
}

function pairs(row: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(row).map(([name, value]) => `${name}: ${valueText(value)}`)
}

function rowOf(row: unknown): Readonly<Record<string, unknown>> {
  return typeof row === 'object' && row !== null ? row as Readonly<Record<string, unknown>> : {} // rows are objects
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  if (Object.is(value, -0)) return '-0.0'
  if (typeof value !== 'object') return shortened(JSON.stringify(value), VALUE_LENGTH)
  const { $bytes, $integer, $float } = value as { readonly $bytes?: string; readonly $integer?: string; readonly $float?: string } // no value is an object of its own
  return $bytes === undefined ? $integer ?? $float ?? '' : `bytes ${shortened($bytes, VALUE_LENGTH)}`
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}
