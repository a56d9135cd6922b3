import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Told } from './read-log.ts'

/** Names the first that is not the same: there are thousands. */
export function expectSame(told: Told, expected: Told): void {
  const different = expected.findIndex((entry, index) => !isDeepStrictEqual(entry, told[index]))
  expect(told[different]).toEqual(expected[different])
  expect(told).toHaveLength(expected.length)
}
