import { expect, it } from 'vitest'
import { divideExactly } from './divide-exactly.ts'

it('rounds once, also where the dividend is no double', () => {
  expect(divideExactly(173_205_080_756_887, { tail: 72, scale: 100, divisor: 1e16 })).toBe(1.732_050_807_568_877_2)
  expect(divideExactly(300_000_000_000_000, { tail: 4, scale: 100, divisor: 1e17 })).toBe(0.300_000_000_000_000_04)
})

it('gives up in the middle between two doubles, which ties to even decide', () => {
  // 2^53 + 1
  expect(divideExactly(900_719_925_474_099, { tail: 30, scale: 100, divisor: 10 })).toBeUndefined()
})
