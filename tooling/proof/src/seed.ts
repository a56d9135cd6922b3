/** The run's seed: `SEED=… npm test` replays it. Printed by whoever draws from it. */
export const seed = process.env['SEED'] === undefined ? Date.now() % 2 ** 31 : Number(process.env['SEED'])

/** Seeded numbers in [0, 1): a linear congruential generator with Numerical Recipes' constants. */
export function seededRandom(from: number): () => number {
  let state = from >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
