import { jsonCell, jsonValue, type ManifestTable, type Value } from '@tidemark/core/adapter'

type Column = ManifestTable['columns'][number]

const DAY_MS = 86_400_000

/** Only what comes back as the same text: no year but of four digits, no day that a month does not have. */
export function dateDays(value: Value): number | undefined {
  if (typeof value !== 'string') return undefined
  const days = Date.parse(`${value}T00:00:00Z`) / DAY_MS
  return daysText(days) === value ? days : undefined
}

/** Since 1970. */
export function daysText(days: number): string | undefined {
  return isoText(days * DAY_MS)?.slice(0, 10)
}

/** Of `2026-11-26T12:34:56.123456` and what stands behind it. Only what comes back as the same text. */
export function instantMicros(value: Value, zone: '' | 'Z'): bigint | undefined {
  if (typeof value !== 'string') return undefined
  const ms = Date.parse(`${value.slice(0, 23)}Z`)
  const rest = Number(value.slice(23, 26))
  if (!Number.isSafeInteger(ms) || !Number.isInteger(rest)) return undefined
  const micros = BigInt(ms) * 1_000n + BigInt(rest)
  return microsText(micros, zone) === value ? micros : undefined
}

/** Since 1970. */
export function microsText(micros: bigint, zone: '' | 'Z'): string | undefined {
  const rest = ((micros % 1_000n) + 1_000n) % 1_000n
  const text = isoText(Number((micros - rest) / 1_000n))
  return text === undefined ? undefined : `${text.slice(0, 23)}${String(rest).padStart(3, '0')}${zone}`
}

/** `undefined` outside of the years that have four digits. */
function isoText(ms: number): string | undefined {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return undefined
  const text = date.toISOString()
  return text.length === 24 ? text : undefined
}

export function cellText(value: Exclude<Value, null>, { storage }: Column): string {
  return jsonCell(value, storage)
}

export function cellValue(text: string, { storage }: Column): Value | undefined {
  try {
    return jsonValue(JSON.parse(text), storage)
  } catch {
    return undefined
  }
}
