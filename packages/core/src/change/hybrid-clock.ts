import { TidemarkError } from '../errors/tidemark-error.ts'

/**
 * A reading of a hybrid logical clock: as near to the wall's as its messages allow, and later than everything that was seen before. Source:
 * Kulkarni, Demirbas, Madappa, Avva and Leone, "Logical Physical Clocks" (OPODIS 2014), Figure 5.
 *
 * As text of fixed width, so that text order is time order, in JavaScript and in SQL alike.
 */
export type HybridTime = string

/**
 * When a row was written and by whom: the time, and the name of the instance. The greater of two wins everywhere, and no two of different
 * instances are equal.
 */
export type RowVersion = string

const RADIX = 36
/** Milliseconds since 1970, until the year 5188. */
const MS_DIGITS = 9
const COUNTER_DIGITS = 4
const MAX_COUNTER = RADIX ** COUNTER_DIGITS - 1

interface Reading {
  readonly ms: number
  readonly counter: number
}

/** Of rows that nobody has seen being written. */
export const NO_TIME: HybridTime = print({ ms: 0, counter: 0 })

/** The next reading for something that happens here; `last`: the greatest so far. */
export function tick(last: HybridTime, nowMs: number): HybridTime {
  const { ms, counter } = parse(last)
  if (nowMs > ms) return print({ ms: nowMs, counter: 0 })
  return print(counter === MAX_COUNTER ? { ms: ms + 1, counter: 0 } : { ms, counter: counter + 1 })
}

/** The greatest reading once another's has been seen. What comes next is later than both. */
export function observe(last: HybridTime, seen: HybridTime): HybridTime {
  return seen > last ? seen : last
}

/**
 * Refuses a reading that is too far ahead: taken over, it would make one wrong clock everybody's, and win over all that is written until then.
 * Errors: `CLOCK_AHEAD`.
 */
export function requireNear(seen: HybridTime, nowMs: number, maxDriftMs: number): void {
  const aheadMs = parse(seen).ms - nowMs
  if (aheadMs > maxDriftMs) throw new TidemarkError('CLOCK_AHEAD', `A peer's clock is ${Math.round(aheadMs / 1_000)} seconds ahead of this one.`)
}

/** The least reading of a moment, to compare with. */
export function timeOf(ms: number): HybridTime {
  return print({ ms: Math.max(0, Math.trunc(ms)), counter: 0 })
}

export function toVersion(time: HybridTime, origin: string): RowVersion {
  return `${time}-${origin}`
}

/** The time of a version. */
export function timeIn(version: RowVersion): HybridTime {
  return version.slice(0, NO_TIME.length)
}

/** Whose write it is. */
export function makerOf(version: RowVersion): string {
  return (version.endsWith(DISPLACED) ? version.slice(0, -DISPLACED.length) : version).slice(NO_TIME.length + 1)
}

/**
 * The version of the deletion of a row that lost a unique value to another: just above the version with which it lost, so that every instance
 * that comes to it gives it the same, and any later write of the row wins over it.
 */
export function displacedVersion(version: RowVersion): RowVersion {
  return version + DISPLACED
}

/** No name of an instance has it, and it comes before all characters that one may have. */
const DISPLACED = '!'

export function isVersion(text: string): boolean {
  return VERSION.test(text)
}

const VERSION = /^[0-9a-z]{9}[0-9a-z]{4}-[\w.-]{1,63}!?$/

function print({ ms, counter }: Reading): HybridTime {
  return ms.toString(RADIX).padStart(MS_DIGITS, '0') + counter.toString(RADIX).padStart(COUNTER_DIGITS, '0')
}

function parse(time: HybridTime): Reading {
  return { ms: Number.parseInt(time.slice(0, MS_DIGITS), RADIX), counter: Number.parseInt(time.slice(MS_DIGITS), RADIX) }
}
