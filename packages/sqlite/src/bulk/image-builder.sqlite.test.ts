import { describe, expect, it } from 'vitest'
import { ImageBuilder } from './image-builder.ts'
import { MAX_LOCAL_BYTES, PAGE_BYTES } from './page-builder.ts'
import { cellsOf, openImage } from './test/open-image.ts'

const MAX_ROW_BYTES = 1_000_000_000

function addRows(builder: ImageBuilder, from: number, to: number): void {
  for (let id = from; id < to; id += 1) {
    builder.integer(id)
    builder.value(`row ${id}`)
    builder.endRow()
  }
}

const keyed = { columns: ['integer', 'text'], rowidColumn: 0, maxRowBytes: MAX_ROW_BYTES } as const

describe('a database image', () => {
  it('of no rows is an empty table', () => {
    using image = openImage(new ImageBuilder(keyed).finish())
    expect(cellsOf(image.database, 'image.t', 2)).toEqual([])
    expect(image.database.prepare('PRAGMA image.integrity_check').all()).toMatchObject([{ integrity_check: 'ok' }])
  })

  it.each([-3, -2, -1, 0, 1, 2, 3])('keeps a record %i bytes from the overflow limit whole or spills it', (offset) => {
    const builder = new ImageBuilder({ ...keyed, columns: ['text'], rowidColumn: undefined })
    // A record of one long text has a header of four bytes.
    const length = MAX_LOCAL_BYTES - 4 + offset
    for (const size of [length, length, PAGE_BYTES * 3 + offset]) {
      builder.value('x'.repeat(size))
      builder.endRow()
    }
    using image = openImage(builder.finish())
    expect(image.database.prepare('SELECT length(c0) AS n FROM image.t').all().map(({ n }) => n)).toEqual([length, length, PAGE_BYTES * 3 + offset])
    expect(image.database.prepare('PRAGMA image.integrity_check').all()).toMatchObject([{ integrity_check: 'ok' }])
  })

  it('builds interior pages on interior pages', () => {
    // Rows that fill a page each, so that a few thousand need more children than one interior page holds.
    const builder = new ImageBuilder({ ...keyed, columns: ['integer', 'blob'] })
    const wide = new Uint8Array(40_000)
    for (let id = 0; id < 9_000; id += 1) {
      builder.bigint(2n ** 60n + BigInt(id))
      builder.blob(wide, 0, id % 2 === 0 ? 40_000 : 20_000)
      builder.endRow()
    }
    using image = openImage(builder.finish())
    expect(image.database.prepare('SELECT count(*) AS n, min(c0) - 1152921504606846976 AS first, max(c0) - 1152921504606846976 AS last FROM image.t').get())
      .toEqual({ n: 9_000, first: 0, last: 8_999 })
    expect(image.database.prepare('PRAGMA image.integrity_check').all()).toMatchObject([{ integrity_check: 'ok' }])
  }, 60_000)

  it('is copied into the staged table without decoding a row', () => {
    const builder = new ImageBuilder(keyed)
    addRows(builder, 0, 1_000)
    using image = openImage(builder.finish())
    image.database.exec('CREATE TABLE stage("id" INTEGER PRIMARY KEY, "name" TEXT)')
    const opcodes = image.database.prepare('EXPLAIN INSERT INTO main.stage SELECT * FROM image.t').all().map(({ opcode }) => opcode)
    // Rows are read as cells or as raw data, and none is taken apart into columns.
    expect(opcodes.some((opcode) => opcode === 'RowCell' || opcode === 'RowData')).toBe(true)
    expect(opcodes).not.toContain('Column')
    image.database.exec('INSERT INTO main.stage SELECT * FROM image.t')
    expect(image.database.prepare('SELECT count(*) AS n, sum(id) AS s FROM stage').get()).toEqual({ n: 1_000, s: 499_500 })
  })

  it('begins anew after a reset, and goes on after the last key', () => {
    const builder = new ImageBuilder(keyed)
    addRows(builder, 0, 5_000)
    builder.finish()
    builder.reset()
    addRows(builder, 5_000, 5_003)
    using image = openImage(builder.finish())
    expect(cellsOf(image.database, 'image.t', 2).map(([id]) => id)).toEqual([5_000n, 5_001n, 5_002n])
  })

  it('refuses rows out of the order of their key', () => {
    const builder = new ImageBuilder(keyed)
    addRows(builder, 7, 8)
    expect(() => addRows(builder, 7, 8)).toThrowError(expect.objectContaining({ code: 'SOURCE_CORRUPT_RESULT' }) as Error)
  })

  it('refuses a row over the target\'s limit', () => {
    const builder = new ImageBuilder({ ...keyed, maxRowBytes: 1_000 })
    builder.integer(1)
    builder.value('x'.repeat(1_000))
    expect(() => builder.endRow()).toThrowError(expect.objectContaining({ code: 'TARGET_ROW_TOO_LARGE' }) as Error)
  })

  it('stores a table as wide as SQLite allows', () => {
    const columns = Array.from({ length: 2_000 }, () => 'text' as const)
    const builder = new ImageBuilder({ columns, rowidColumn: undefined, maxRowBytes: MAX_ROW_BYTES })
    for (const [index] of columns.entries()) builder.value(index % 3 === 0 ? null : `cell ${index}`)
    builder.endRow()
    using image = openImage(builder.finish())
    expect(image.database.prepare('SELECT c1999, c1998, c0 FROM image.t').get()).toEqual({ c1999: 'cell 1999', c1998: null, c0: null })
  })
})
