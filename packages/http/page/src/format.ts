import { h } from './dom.ts'

const numbers = new Intl.NumberFormat('en')
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

export function count(value: number): string {
  return numbers.format(value)
}

/** `1 row`, `2 rows`. */
export function several(value: number, one: string): string {
  return `${count(value)} ${one}${value === 1 ? '' : 's'}`
}

export function short(value: number): string {
  return value < 100_000 ? numbers.format(value) : compact.format(value)
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3))
  return `${(value / 1_000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power] ?? ''}`
}

/** Roughly, in one unit. */
export function duration(ms: number): string {
  const steps: readonly (readonly [limit: number, size: number, unit: string])[] = [
    [1_000, 1, 'ms'], [90_000, 1_000, 's'], [90 * 60_000, 60_000, 'min'], [36 * 3_600_000, 3_600_000, 'h'], [Infinity, 86_400_000, 'd'],
  ]
  const [, size = 1, unit = ''] = steps.find(([limit]) => Math.abs(ms) < limit) ?? []
  const value = ms / size
  return `${value < 10 && size > 1 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} ${unit}`
}

export function clock(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB')
}

/** The time, with its day where that is another one. */
export function moment(atMs: number): string {
  const date = new Date(atMs)
  const isToday = date.toDateString() === new Date().toDateString()
  return isToday ? clock(atMs) : `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${clock(atMs)}`
}

export function time(atMs: number, text = moment(atMs)): HTMLElement {
  const iso = new Date(atMs).toISOString()
  return h('time', { datetime: iso, title: iso }, text)
}
