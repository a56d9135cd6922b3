import { expect, it } from 'vitest'
import { parseRange } from './parse-range.ts'

it.each([
  [null, undefined], ['', undefined], ['bytes=', undefined], ['bytes=-', undefined], ['bytes=a-b', undefined], ['bytes=0-1,3-4', undefined], ['rows=0-1', undefined],
  ['bytes=5-2', undefined], ['bytes= 0-1', undefined], ['bytes=0-9999999999999999999999', undefined],
  ['bytes=0-0', { start: 0, end: 1 }], ['bytes=2-4', { start: 2, end: 5 }], ['bytes=2-', { start: 2, end: 10 }], ['bytes=2-99', { start: 2, end: 10 }],
  ['bytes=-3', { start: 7, end: 10 }], ['bytes=-99', { start: 0, end: 10 }], ['bytes=-0', 'none'], ['bytes=10-', 'none'], ['bytes=10-11', 'none'],
])('%s of ten bytes', (header, bounds) => {
  expect(parseRange(header, 10)).toEqual(bounds)
})

it('of nothing is nothing', () => {
  expect(parseRange('bytes=0-', 0)).toBe('none')
  expect(parseRange('bytes=-1', 0)).toBe('none')
  expect(parseRange(null, 0)).toBeUndefined()
})
