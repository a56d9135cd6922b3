export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** The median is the mean of the middle two where the count is even. Rounded to thousandths. */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const median = ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2
  return { min: round(sorted[0] ?? NaN), median: round(median), max: round(sorted.at(-1) ?? NaN) }
}

export function round(number: number): number {
  return Math.round(number * 1_000) / 1_000
}
