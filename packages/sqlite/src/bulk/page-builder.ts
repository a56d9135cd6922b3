/**
 * Builds a complete SQLite database file in memory, page by page, without SQLite.
 *
 * The rules, by section of https://www.sqlite.org/fileformat2.html :
 *
 * - "Pages": the file is a whole number of pages of one size, numbered from 1. A database is not allowed to use the
 *   "lock-byte page" at offset 2^30; images end before it.
 * - "The Database Header": the first 100 bytes of page 1. Big-endian. "Schema format number" 4, because serial types 8
 *   and 9 exist from that on; "file change counter" and "version-valid-for number" are equal, or SQLite would not
 *   trust the "in-header database size"; read and write versions 1, since an image is never in WAL mode itself.
 * - "B-tree Pages": a leaf of a table is a header of 8 bytes (type 13, first freeblock, number of cells, start of the
 *   cell content area, fragmented bytes), an array of 2-byte cell pointers in key order, free room, and the cells at
 *   the end of the page. An interior page (type 5) has a 12-byte header that ends with the right-most child, and cells
 *   of a 4-byte left child and a varint key: every rowid in that child is <= the key.
 *   The content of page 1 begins after the database header, its offsets are from the page's first byte.
 * - "Cell payload overflow pages": with U usable bytes a table leaf keeps payloads up to X = U-35 whole. Of a longer one
 *   with P bytes it keeps K = M+((P-M)%(U-4)) when K <= X, otherwise M = ((U-12)*32/255)-23; the rest goes to a linked
 *   list of pages of a 4-byte next page number (0 in the last) and U-4 bytes, and the cell ends with the number of the first.
 * - "Storage Of The SQL Database Schema": the table b-tree rooted at page 1 has a row (type, name, tbl_name, rootpage,
 *   sql) per table.
 *
 * Leaves are written as rows come, overflow pages between them, interior pages from the bottom up at the end, page 1
 * last. Rows must come in ascending rowid order: then every leaf is full and nothing is moved twice.
 */
import { TidemarkError } from '@tidemark/core/adapter'
import { schemaCell } from './schema-cell.ts'
import { rowidBytes, writeRowid } from './varint.ts'

/**
 * The largest page there is: fewest pages to fill, and page 1 holds the CREATE TABLE of any table SQLite can have. The target's own
 * page size does not matter to the copy.
 */
export const PAGE_BYTES = 65_536

const LEAF = 13
const INTERIOR = 5
const LEAF_HEADER_BYTES = 8
const INTERIOR_HEADER_BYTES = 12
const DATABASE_HEADER_BYTES = 100
/** Where the lock-byte page lies. */
const MAX_IMAGE_BYTES = 2 ** 30
/** Most bytes of an interior cell and its pointer: child, nine-byte key, pointer. */
const INTERIOR_CELL_BYTES = 4 + 9 + 2

/** Rows of one leaf: whole cells one after the other, in rowid order. */
export interface LeafCells {
  readonly cells: Uint8Array
  readonly cellBytes: number
  /** Where each cell begins in `cells`; only the first `count` are used. */
  readonly offsets: Uint16Array
  readonly count: number
  /** Rowid of the last cell. */
  readonly lastHi: number
  readonly lastLo: number
}

/** Longest payload kept whole in a leaf: X in the format's text. */
export const MAX_LOCAL_BYTES = PAGE_BYTES - 35
/** M in the format's text. */
const MIN_LOCAL_BYTES = Math.floor(((PAGE_BYTES - 12) * 32) / 255) - 23
/** Payload bytes of an overflow page. */
const OVERFLOW_BYTES = PAGE_BYTES - 4

/** How much of a payload longer than `MAX_LOCAL_BYTES` stays in its cell. */
export function localBytes(payloadBytes: number): number {
  const kept = MIN_LOCAL_BYTES + ((payloadBytes - MIN_LOCAL_BYTES) % OVERFLOW_BYTES)
  return kept <= MAX_LOCAL_BYTES ? kept : MIN_LOCAL_BYTES
}

export class PageBuilder {
  #out = new Uint8Array(PAGE_BYTES * 16)
  #pages = 1
  /** The level of the tree that has no parents yet: page numbers and the last rowid below each. */
  #children: Child[] = []

  /** Bytes of all pages so far. */
  get bytes(): number {
    return this.#pages * PAGE_BYTES
  }

  /** Copies the tail of a payload to overflow pages and returns the number of the first. */
  spill(payload: Uint8Array, start: number, end: number): number {
    const first = this.#pages + 1
    for (let from = start; from < end; from += OVERFLOW_BYTES) {
      const base = this.#allocate()
      const to = Math.min(from + OVERFLOW_BYTES, end)
      put32(this.#out, base, to < end ? this.#pages + 1 : 0)
      this.#out.set(payload.subarray(from, to), base + 4)
      this.#out.fill(0, base + 4 + to - from, base + PAGE_BYTES)
    }
    return first
  }

  /** Writes one leaf. The caller has seen to it that the cells, their pointers and the header fit. */
  addLeaf(leaf: LeafCells): void {
    const base = this.#allocate()
    const out = this.#out
    const content = PAGE_BYTES - leaf.cellBytes
    out.set(leaf.cells.subarray(0, leaf.cellBytes), base + content)
    putPageHeader(out, base, { type: LEAF, count: leaf.count, content })
    let at = base + LEAF_HEADER_BYTES
    for (let i = 0; i < leaf.count; i += 1) {
      const pointer = content + (leaf.offsets[i] ?? 0)
      out[at] = pointer >>> 8
      out[at + 1] = pointer
      at += 2
    }
    // The buffer still has the chunk before.
    out.fill(0, at, base + content)
    this.#children.push({ page: this.#pages, hi: leaf.lastHi, lo: leaf.lastLo })
  }

  /** Builds the interior pages and page 1, and returns the file: a view of the builder's own buffer, valid until `reset`. */
  finish(table: { readonly name: string; readonly sql: string }): Uint8Array {
    if (this.#children.length === 0) this.addLeaf({ cells: EMPTY, cellBytes: 0, offsets: NO_OFFSETS, count: 0, lastHi: 0, lastLo: 0 })
    let level = this.#children
    while (level.length > 1) level = this.#addParents(level)
    this.#putFirstPage(schemaCell({ ...table, rootPage: level[0]?.page ?? 0 }))
    return this.#out.subarray(0, this.bytes)
  }

  /** Starts the next image in the same buffer. */
  reset(): void {
    this.#pages = 1
    this.#children = []
  }

  #putFirstPage(cell: Uint8Array): void {
    const out = this.#out
    const content = PAGE_BYTES - cell.length
    const pointer = DATABASE_HEADER_BYTES + LEAF_HEADER_BYTES
    if (content < pointer + 2) throw new TidemarkError('NOT_SUPPORTED', 'The table has too many columns for a bulk load.')
    out.fill(0, 0, PAGE_BYTES)
    putDatabaseHeader(out, this.#pages)
    putPageHeader(out, DATABASE_HEADER_BYTES, { type: LEAF, count: 1, content })
    out[pointer] = content >>> 8
    out[pointer + 1] = content
    out.set(cell, content)
  }

  /** Shares children out evenly, so that no interior page ends up with a right-most child alone. */
  #addParents(level: readonly Child[]): Child[] {
    const fanout = 1 + Math.floor((PAGE_BYTES - INTERIOR_HEADER_BYTES) / INTERIOR_CELL_BYTES)
    const parents = Math.ceil(level.length / fanout)
    return Array.from({ length: parents }, (_, i) => {
      const from = Math.floor((i * level.length) / parents)
      return this.#addInterior(level.slice(from, Math.floor(((i + 1) * level.length) / parents)))
    })
  }

  #addInterior(children: readonly Child[]): Child {
    const base = this.#allocate()
    const out = this.#out
    out.fill(0, base, base + PAGE_BYTES)
    let content = PAGE_BYTES
    let at = base + INTERIOR_HEADER_BYTES
    const last = children.length - 1
    for (const [i, child] of children.entries()) {
      if (i === last) {
        putPageHeader(out, base, { type: INTERIOR, count: last, content })
        put32(out, base + LEAF_HEADER_BYTES, child.page)
        return { page: this.#pages, hi: child.hi, lo: child.lo }
      }
      content -= 4 + rowidBytes(child.hi, child.lo)
      put32(out, base + content, child.page)
      writeRowid(out, base + content + 4, child.hi, child.lo)
      out[at] = content >>> 8
      out[at + 1] = content
      at += 2
    }
    throw new TidemarkError('INTERNAL', 'An interior page without children was asked for.')
  }

  /** Takes the next page and returns its offset. */
  #allocate(): number {
    const base = this.#pages * PAGE_BYTES
    const end = base + PAGE_BYTES
    if (end > MAX_IMAGE_BYTES) throw new TidemarkError('TARGET_ROW_TOO_LARGE', 'A chunk of rows outgrew 1 GiB.')
    if (end > this.#out.length) {
      const grown = new Uint8Array(Math.min(Math.max(this.#out.length * 2, end), MAX_IMAGE_BYTES))
      grown.set(this.#out.subarray(0, base))
      this.#out = grown
    }
    this.#pages += 1
    return base
  }
}

interface Child {
  readonly page: number
  readonly hi: number
  readonly lo: number
}

const EMPTY = new Uint8Array(0)
const NO_OFFSETS = new Uint16Array(0)

function put32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24
  into[at + 1] = value >>> 16
  into[at + 2] = value >>> 8
  into[at + 3] = value
}

function putPageHeader(into: Uint8Array, at: number, page: { type: number; count: number; content: number }): void {
  into[at] = page.type
  into[at + 1] = 0
  into[at + 2] = 0
  into[at + 3] = page.count >>> 8
  into[at + 4] = page.count
  // 65536 does not fit in two bytes: the format writes it as 0, which is what the truncation gives.
  into[at + 5] = page.content >>> 8
  into[at + 6] = page.content
  into[at + 7] = 0
}

function putDatabaseHeader(into: Uint8Array, pages: number): void {
  for (let i = 0; i < MAGIC.length; i += 1) into[i] = MAGIC.charCodeAt(i)
  // A page size of 65536 does not fit in two bytes: the format writes it as 1.
  into[17] = 1
  into[18] = 1
  into[19] = 1
  into[21] = 64
  into[22] = 32
  into[23] = 32
  put32(into, 24, CHANGE_COUNTER)
  put32(into, 28, pages)
  put32(into, 40, 1)
  put32(into, 44, SCHEMA_FORMAT)
  put32(into, 56, UTF8)
  put32(into, 92, CHANGE_COUNTER)
  put32(into, 96, SQLITE_VERSION_NUMBER)
}

const MAGIC = 'SQLite format 3\0'
const CHANGE_COUNTER = 1
const SCHEMA_FORMAT = 4
const UTF8 = 1
/** What the header names as the writer's version; only a diagnostic. */
const SQLITE_VERSION_NUMBER = 3_045_000
