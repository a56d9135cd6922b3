/** Random whole numbers from 0 up to `below`, the same for the same seed. */
export type Random = (below: number) => number

/** A linear congruential generator with Knuth's MMIX constants, high bits used: plenty for choosing rows. */
export function seededRandom(seed: number): Random {
  let state = BigInt(Math.trunc(seed))
  return (below) => {
    state = BigInt.asUintN(64, state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n)
    return Number((state >> 32n) * BigInt(below) >> 32n)
  }
}
