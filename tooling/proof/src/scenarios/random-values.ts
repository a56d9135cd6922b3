import { expect, it } from 'vitest'
import { difference, noDifference } from '../fixtures/difference.ts'
import { openReplica } from '../fixtures/replica.ts'
import { replicate } from '../fixtures/replicate.ts'
import type { SourceFixture } from '../fixtures/source-fixture.ts'
import { seed, seededRandom } from '../seed.ts'

const VALUES = 10_000
const ROWS_PER_INSERT = 1_000

/** Numbers in [0, 1). */
type Random = () => number

export interface RandomType {
  readonly type: string
  /** A literal of the engine's SQL. */
  readonly literal: (random: Random) => string
  /** What must have arrived, as text, said by the source itself. */
  readonly expected?: string
  /** The stored value as text, by the copy. */
  readonly stored?: string
  /** Both sides are compared by this; the texts themselves when left out. */
  readonly normal?: (text: string) => string
}

/**
 * Ten thousand random values of each type, loaded in bulk and compared with what the source itself says of them; then
 * read again by page, which must find every one equal: the two ways give the same bytes.
 */
export function randomValueTests(types: readonly RandomType[], open: () => Promise<SourceFixture>): void {
  it.each(types)('$type', async ({ type, literal, expected = 'v', stored = 'v', normal = (text) => text }) => {
    await using source = await open()
    using replica = openReplica()
    const random = seededRandom(seed)
    await source.execute(`CREATE TABLE sample (id int PRIMARY KEY, v ${type})`)
    for (let id = 0; id < VALUES; id += ROWS_PER_INSERT) {
      const rows = Array.from({ length: ROWS_PER_INSERT }, (_, index) => `(${id + index}, ${literal(random)})`)
      await source.execute(`INSERT INTO sample VALUES ${rows.join(', ')}`)
    }
    await using replicator = replicate(source, replica, { table: 'sample', settleGraceMs: 0 })
    await replicator.syncNow('sample')
    const compare = (rows: readonly (readonly (string | null)[])[]): (readonly (string | null)[])[] =>
      rows.map(([id = null, v = null]) => [id, v === null ? null : normal(v)])
    const left = compare(await source.rows(`SELECT id, ${expected} AS v FROM sample ORDER BY id`))
    expect(difference(left, compare(replica.rows(`SELECT id, ${stored} AS v FROM sample ORDER BY id`)))).toEqual(noDifference)
    expect(left).toHaveLength(VALUES)
    await replicator.resetCursor('sample')
    expect(await replicator.syncNow('sample')).toMatchObject({ rows: 0, rowsRead: VALUES })
  })
}

export function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => Math.floor(random() * 10)).join('')
}

/** Any 64-bit signed integer, the small ones and the ends more often than chance would have them. */
export function int64(random: Random): string {
  const bits = Math.floor(random() * 64)
  const magnitude = BigInt(`0x${hexBytes(random, 8)}`) >> BigInt(bits + 1)
  return (random() < 0.5 ? -magnitude - 1n : magnitude).toString()
}

export function decimal(random: Random, places: { readonly before: number; readonly after: number }): string {
  const sign = random() < 0.5 ? '-' : ''
  return `${sign}${digits(random, 1 + Math.floor(random() * places.before))}.${digits(random, places.after)}`
}

/** A finite double of any exponent. */
export function double(random: Random): string {
  const exponent = Math.floor(random() * 600) - 300
  return `${random() < 0.5 ? '-' : ''}${1 + random() * 9}e${exponent}`
}

/** Letters of several scripts, controls, quotes, backslashes, astral characters. */
export function text(random: Random): string {
  const alphabet = ['a', 'Z', ' ', '\'', '"', '\\', '\n', '\t', '\r', 'é', 'ß', '日', '\u{1F600}', '%', '\u007f', '\u2028', '0', '\\N', '\ufeff']
  return Array.from({ length: Math.floor(random() * 30) }, () => alphabet[Math.floor(random() * alphabet.length)] ?? '').join('')
}

export function hexBytes(random: Random, count: number): string {
  return Array.from({ length: count }, () => Math.floor(random() * 256).toString(16).padStart(2, '0')).join('')
}

/** `YYYY-MM-DD HH:MM:SS.ffffff` between the years 1000 and 9999. */
export function moment(random: Random): string {
  const ms = Date.UTC(1000, 0, 1) + random() * (Date.UTC(9999, 11, 31) - Date.UTC(1000, 0, 1))
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}.${digits(random, 6)}`
}
