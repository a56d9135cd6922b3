import { describe, expect, it } from 'vitest'
import { parseMark, printMark, type PublicationMark } from './publication-mark.ts'

describe('the mark of a publication', () => {
  it.each<PublicationMark>([{ slot: 'app' }, { slot: 'a_1', dropped: 'open' }, { slot: 'app', dropped: 0x16_b374_d848n }])('says what it was given: %o', (mark) => {
    expect(parseMark(printMark(mark))).toEqual(mark)
  })

  it.each([null, undefined, '', 'managed by tidemark', 'managed by tidemark for slot ', 'managed by tidemark for slot App', 'managed by tidemark for slot app2; see wiki', ' managed by tidemark for slot app'])('is nobody else\'s: %s', (comment) => {
    expect(parseMark(comment)).toBeUndefined()
  })
})
