import { describe, expect, it } from 'vitest'
import type { Mark } from '../dialect/cursor.ts'
import { afterPage, eligibleMarks, nextPageAfter, startOfTable, type SettledCursor } from './settled-cursor.ts'

const at = (tracking: string) => ({ tracking, key: [tracking] })
const mark = (tracking: string, readAtMs = 0): Mark => ({ cursor: at(tracking), fence: 'f', readAtMs })
const page = { fence: 'f', settledMarks: 0, readAtMs: 0 }

describe('settled cursor', () => {
  it('stays where it was until a later read has proved the mark', () => {
    const first = afterPage(startOfTable, { ...page, last: at('9'), isLast: true })
    expect(first).toEqual({ settled: undefined, marks: [mark('9')], pass: undefined })
    const second = afterPage(first, { ...page, last: at('9'), isLast: true, settledMarks: 1 })
    expect(second).toEqual({ settled: at('9'), marks: [], pass: undefined })
  })

  it('does not settle a mark on a page before the end of the pass', () => {
    const waiting: SettledCursor = { settled: at('1'), marks: [mark('9')], pass: undefined }
    const middle = afterPage(waiting, { ...page, last: at('5'), isLast: false, settledMarks: 1 })
    expect(middle.settled).toEqual(at('1'))
    expect(nextPageAfter(middle)).toEqual(at('5'))
  })

  it('does not settle a mark that one page of the pass could not prove', () => {
    const waiting: SettledCursor = { settled: at('1'), marks: [mark('9')], pass: undefined }
    const middle = afterPage(waiting, { ...page, last: at('5'), isLast: false, settledMarks: 0 })
    const end = afterPage(middle, { ...page, last: at('9'), isLast: true, settledMarks: 1 })
    expect(end.settled).toEqual(at('1'))
    expect(end.marks).toEqual([mark('9')])
  })

  it('offers no mark younger than the grace', () => {
    const cursor: SettledCursor = { settled: undefined, marks: [mark('1', 0), mark('2', 900)], pass: undefined }
    expect(eligibleMarks(cursor, 1_000, { graceMs: 250 })).toEqual([mark('1', 0)])
  })

  it('keeps its state small when old writers never end', () => {
    let cursor: SettledCursor = startOfTable
    for (let poll = 1; poll <= 50; poll += 1) cursor = afterPage(cursor, { ...page, last: at(String(poll)), isLast: true })
    expect(cursor.marks).toHaveLength(8)
    expect(cursor.marks.at(-1)?.cursor).toEqual(at('50'))
  })

  it('leaves an idle cursor as it is', () => {
    const idle: SettledCursor = { settled: at('3'), marks: [], pass: undefined }
    expect(afterPage(idle, { ...page, last: undefined, isLast: true })).toEqual(idle)
  })
})
