import { describe, expect, it } from 'vitest'
import type { ChangeEvent } from '../change/change-event.ts'
import { printPosition, toSequence, type LogPosition } from '../change/log-position.ts'
import type { ChangeSlice, ChangeTable } from '../dialect/change-source.ts'
import { FakeRuntime } from '../runtime/fake-runtime.ts'
import { Bell } from './bell.ts'
import { ChangeFilter, ChangeFilters } from './change-filter.ts'
import { comparePositions, hasReached } from './compare-positions.ts'
import { cutSlice } from './cut-slice.ts'
import { SliceRing } from './slice-ring.ts'
import { afterChunk, nextChunk, SNAPSHOT_BEGIN, tableNames, visibleTables } from './snapshot-progress.ts'

const at = (sequence: number, epoch = 'e'): LogPosition => ({ epoch, sequence: toSequence(sequence), detail: '' })

function event(sequence: number, { table = 'users', schema = 'main' }: { readonly table?: string; readonly schema?: string | null } = {}): ChangeEvent {
  return {
    id: `${sequence}`, op: 'delete', schema, table, key: { id: sequence }, before: null, beforeKind: 'none', after: null, unavailable: [],
    tx: { id: 't', sequence: 0, last: true, committedAtMs: undefined, origin: undefined },
    source: { connector: 'sqlite', name: 'db', snapshot: false, position: printPosition(at(sequence)), schemaVersion: 1, receivedAtMs: 0 },
  }
}

function slice(from: number, to: number): ChangeSlice {
  const events = Array.from({ length: to - from }, (_, index) => event(from + index + 1))
  return { events, schemas: [], begin: true, commit: true, position: at(to), bytes: events.length * 10, isLast: true }
}

describe('positions', () => {
  it('have an order within an epoch, numerically, and none across', () => {
    expect([comparePositions(at(9), at(10)), comparePositions(at(36), at(35)), comparePositions(at(5), at(5))]).toEqual([-1, 1, 0])
    expect([comparePositions(at(1), at(2, 'f')), hasReached(at(2), at(1, 'f')), hasReached(at(2), at(2))]).toEqual([undefined, false, true])
  })
})

describe('a bell', () => {
  it('keeps a ring that came before anybody waited, once', async () => {
    const runtime = new FakeRuntime()
    const bell = new Bell()
    const { signal } = new AbortController()
    bell.ring()
    bell.ring()
    await bell.wait({ signal })
    let isOver = false
    const waiting = bell.wait({ signal, timeout: { runtime, ms: 100 } }).then(() => { isOver = true })
    await runtime.advance(99)
    expect(isOver).toBe(false)
    await runtime.advance(1)
    await waiting
  })

  it('wakes early, and leaves no timer behind', async () => {
    const runtime = new FakeRuntime()
    const bell = new Bell()
    const controller = new AbortController()
    const rung = bell.wait({ signal: controller.signal, timeout: { runtime, ms: 100 } })
    bell.ring()
    await rung
    expect(runtime.pending).toBe(0)
    const aborted = bell.wait({ signal: controller.signal, timeout: { runtime, ms: 100 } })
    controller.abort()
    await aborted
    expect(runtime.pending).toBe(0)
  })
})

describe('a filter', () => {
  it('gives the very array when everything passes, and one empty one when nothing does', () => {
    const { events } = slice(0, 3)
    expect(new ChangeFilter({}).pick(events)).toBe(events)
    expect(new ChangeFilter({ tables: ['users'] }).pick(events)).toBe(events)
    const none = new ChangeFilter({ tables: ['orders'] })
    expect(none.pick(events)).toBe(none.pick(slice(3, 5).events))
  })

  it('tells schemas apart, and names with a dot', () => {
    const events = [event(1, { schema: 'a' }), event(2, { schema: 'b' }), event(3, { table: 'a.users', schema: 'c' }), event(4, { table: 'other', schema: null })]
    const ids = (tables: readonly string[]) => new ChangeFilter({ tables }).pick(events).map(({ id }) => id)
    expect([ids(['users']), ids(['a.users']), ids(['b.users', 'other']), ids(['c.a.users'])]).toEqual([['1', '2'], ['1', '3'], ['2', '4'], ['3']])
  })

  it('is one for all who ask the same, in whatever order', () => {
    const filters = new ChangeFilters()
    expect(filters.of({ tables: ['a', 'b'], ops: ['insert', 'delete'] })).toBe(filters.of({ tables: ['b', 'a'], ops: ['delete', 'insert'] }))
    expect(filters.of({ tables: [] })).not.toBe(filters.of({}))
  })
})

describe('a cut slice', () => {
  it('has what lies between two commits, once', () => {
    const whole = slice(0, 40)
    const [low, high] = [cutSlice(whole, { through: at(36) }), cutSlice(whole, { after: at(36) })]
    expect([...low.events, ...high.events]).toEqual(whole.events)
    expect([low.events.length, low.position, low.commit, low.isLast, low.bytes]).toEqual([36, at(36), true, false, 360])
    expect([high.events.length, high.position, high.begin, high.isLast]).toEqual([4, at(40), true, true])
  })
})

describe('a ring', () => {
  it('never uses a number twice, and counts what it holds', () => {
    const ring = new SliceRing()
    const entry = (to: number) => ({ kind: 'slice', after: at(to - 1), slice: slice(to - 1, to), start: { bytes: 0, events: 0 } }) as const
    for (let to = 1; to <= 3; to += 1) ring.append(entry(to))
    expect([ring.first, ring.end, ring.bytes, ring.find(({ after }) => after.sequence === at(1).sequence)]).toEqual([0, 3, 30, 1])
    ring.dropOldest()
    expect([ring.first, ring.bytes, ring.at(0), ring.at(1)?.after]).toEqual([1, 20, undefined, at(1)])
    ring.clear()
    ring.append(entry(9))
    expect([ring.first, ring.end, ring.bytes]).toEqual([3, 4, 10])
  })
})

describe('a snapshot\'s progress', () => {
  it('goes through all tables, chunk by chunk', () => {
    const tables = ['a', 'b']
    const chunks = [{ last: '5', isLast: false }, { last: '9', isLast: true }, { last: undefined, isLast: true }]
    const seen: unknown[] = []
    let progress = SNAPSHOT_BEGIN
    for (const chunk of chunks) {
      const next = nextChunk(progress, tables)
      if (next === undefined) throw new Error('too early')
      progress = afterChunk(progress, next, chunk)
      seen.push([next, visibleTables(progress)])
    }
    expect(seen).toEqual([[{ table: 'a', after: undefined }, ['a']], [{ table: 'a', after: '5' }, ['a']], [{ table: 'b', after: undefined }, ['a', 'b']]])
    expect(nextChunk(progress, tables)).toBeUndefined()
    expect(nextChunk(progress, ['0', ...tables])).toEqual({ table: '0', after: undefined })
  })

  it('passes over a table that is gone', () => {
    const progress = afterChunk(SNAPSHOT_BEGIN, { table: 'a', after: undefined }, { last: '5', isLast: false })
    const next = nextChunk(progress, ['b'])
    expect(next).toEqual({ table: 'b', after: undefined })
    expect(afterChunk(progress, { table: 'b', after: undefined }, { last: '1', isLast: true })).toEqual({ done: ['a', 'b'], current: null })
  })

  it('names tables by their schema where the name alone is not unique', () => {
    const table = (schema: string | null, name: string): ChangeTable => ({ schema, name, columns: [], key: [], version: 1 })
    expect(tableNames([table('b', 'users'), table('a', 'users'), table('a', 'orders'), table(null, 'x')])).toEqual(['a.users', 'b.users', 'orders', 'x'])
  })
})
