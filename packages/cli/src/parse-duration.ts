const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const MIN_MS = 1_000
const MAX_MS = 30 * 86_400_000

/** `30m`, `10s`, `1h`, `1.5d` as milliseconds, from one second to 30 days; `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(s|m|h|d)$/.exec(text) ?? []
  if (count === undefined || unit === undefined) return undefined
  const ms = Math.round(Number(count) * (UNIT_MS[unit] ?? Number.NaN))
  return ms >= MIN_MS && ms <= MAX_MS ? ms : undefined
}
