import { expect, it } from 'vitest'
import { parseRecord } from './parse-record.ts'

it.each([
  ['(1)', ['1']], ['()', [null]], ['(,)', [null, null]], ['("")', ['']], ['(1,,"a ""b"" \\\\ c",x)', ['1', null, 'a "b" \\ c', 'x']], ['(a,)', ['a', null]], ['("a,(b)","\nc")', ['a,(b)', '\nc']],
])('reads the row %s', (text, row) => {
  expect(parseRecord(text)).toEqual(row)
})

it.each(['', '1', '(1', '("a)', '("a"b)'])('refuses %s', (text) => {
  expect(() => parseRecord(text)).toThrow(expect.objectContaining({ code: 'SOURCE_CORRUPT_RESULT' }))
})
