import { describe, expect, it } from 'vitest'
import { PageSize } from './page-size.ts'

const LIMITS = { maxRows: 10_000, maxBytes: 1_000_000 }

function observed(...pages: readonly (readonly [rows: number, bytesOfRow: number])[]): PageSize {
  const size = new PageSize(LIMITS)
  for (const [rows, bytesOfRow] of pages) size.observe(rows, rows * bytesOfRow)
  return size
}

describe('the size of a page', () => {
  it('begins small and grows fourfold by full pages, up to the limit', () => {
    expect(observed().rows).toBe(200)
    expect(observed([200, 10]).rows).toBe(800)
    expect(observed([200, 10], [800, 10], [3_200, 10]).rows).toBe(10_000)
  })

  it('falls at once to what fits of wider rows', () => {
    expect(observed([200, 10], [800, 10_000]).rows).toBe(100)
  })

  it('does not grow by pages that were not full', () => {
    expect(observed([3, 10], [3, 10], [3, 10]).rows).toBe(200)
  })

  it('is kept for the next run, within bounds', () => {
    const narrow = observed([200, 10], [800, 10], [3_200, 10])
    narrow.restart()
    expect(narrow.rows).toBe(2_000)
    const wide = observed([200, 10_000])
    wide.restart()
    expect(wide.rows).toBe(100)
  })
})
