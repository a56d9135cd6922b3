import { describe, expect, it } from 'vitest'
import type { LogPosition } from '../../change/log-position.ts'
import { toSequence } from '../../change/log-position.ts'
import type { PeerChunk, PeerHello, PeerTableState, PeerUnit } from '../../dialect/propagation-target.ts'
import { decideChunk, decideHello, decideUnit, takesRelayed, type SenderState } from './decide.ts'

const EPOCH = 'one'

function at(number: number, epoch = EPOCH): LogPosition {
  return { epoch, sequence: toSequence(number), detail: '' }
}

function state(reached: number, more: Partial<SenderState> = {}): SenderState {
  return { epoch: EPOCH, retired: [], at: at(reached), keptTo: null, ...more }
}

function unit(from: number, to: number, more: Partial<PeerUnit> = {}): PeerUnit {
  return { type: 'unit', origin: 'a', epoch: EPOCH, from: at(from), to: at(to), isCommit: true, without: [], tables: [], changes: [], relayed: undefined, version: undefined, ...more }
}

function tables(states: Readonly<Record<string, PeerTableState>>): ReadonlyMap<string, { readonly state: PeerTableState }> {
  return new Map(Object.entries(states).map(([name, entry]) => [name, { state: entry }]))
}

const NONE = tables({})

describe('a unit', () => {
  it('is applied where it begins where the receiver stands, and nowhere else', () => {
    expect(decideUnit(state(10), NONE, unit(10, 20))).toBe('apply')
    expect(decideUnit(state(10), NONE, unit(9, 20))).toBe('elsewhere')
    expect(decideUnit(state(10), NONE, unit(11, 20))).toBe('elsewhere')
    expect(decideUnit(state(10), NONE, unit(5, 10))).toBe('done')
    expect(decideUnit(undefined, NONE, unit(10, 20))).toBe('unknown')
    expect(decideUnit(state(10, { epoch: 'two' }), NONE, unit(10, 20))).toBe('unknown')
  })

  it('is kept while its transaction goes on, and applied from where the kept parts end', () => {
    expect(decideUnit(state(10), NONE, unit(10, 15, { isCommit: false }))).toBe('keep')
    expect(decideUnit(state(10, { keptTo: at(15) }), NONE, unit(15, 20))).toBe('apply')
    expect(decideUnit(state(10, { keptTo: at(15) }), NONE, unit(10, 20))).toBe('elsewhere')
    expect(decideUnit(state(10, { keptTo: at(15) }), NONE, unit(10, 15, { isCommit: false }))).toBe('done')
  })

  it('is not taken when it leaves out a table that has got rows since it was made', () => {
    const late = unit(10, 20, { without: ['users'] })
    expect(decideUnit(state(10), tables({ users: { state: 'copying', after: null } }), late)).toBe('apply')
    expect(decideUnit(state(10), tables({ users: { state: 'copying', after: 'k' } }), late)).toBe('elsewhere')
    expect(decideUnit(state(10), tables({ users: { state: 'live' } }), late)).toBe('elsewhere')
  })
})

describe('rows of a copy', () => {
  const chunk: PeerChunk = { type: 'chunk', origin: 'a', epoch: EPOCH, table: { name: 'users', columns: [], key: [] }, at: at(10), after: 'k', next: null, rows: [], versions: undefined, tombstones: [] }

  it('are taken at their place in the log and in the table', () => {
    expect(decideChunk(state(10), { state: 'copying', after: 'k' }, chunk)).toBe('apply')
    expect(decideChunk(state(11), { state: 'copying', after: 'k' }, chunk)).toBe('elsewhere')
    expect(decideChunk(state(10), { state: 'copying', after: null }, chunk)).toBe('elsewhere')
    expect(decideChunk(state(10), { state: 'live' }, chunk)).toBe('elsewhere')
    expect(decideChunk(state(10, { keptTo: at(12) }), { state: 'copying', after: 'k' }, chunk)).toBe('elsewhere')
    expect(decideChunk(undefined, undefined, chunk)).toBe('unknown')
  })
})

describe('a name', () => {
  const hello: PeerHello = { type: 'hello', origin: 'a', epoch: EPOCH, head: at(1), tables: [], snapshot: true, takesOver: false, restarts: undefined, isVersioned: false }

  it('belongs to one log, until another takes it over, and never goes back', () => {
    expect(decideHello(undefined, hello, 'b')).toBe('join')
    expect(decideHello(state(10), hello, 'b')).toBe('known')
    expect(decideHello(state(10), { ...hello, restarts: at(10) }, 'b')).toBe('begin')
    // One that came again when the receiver had gone on.
    expect(decideHello(state(11), { ...hello, restarts: at(10) }, 'b')).toBe('known')
    expect(decideHello(state(10, { epoch: 'two' }), hello, 'b')).toBe('taken')
    expect(decideHello(state(10, { epoch: 'two' }), { ...hello, takesOver: true }, 'b')).toBe('begin')
    expect(decideHello(state(10, { epoch: 'two', retired: [EPOCH] }), { ...hello, takesOver: true }, 'b')).toBe('taken')
    expect(decideHello(undefined, hello, 'a')).toBe('taken')
  })
})

describe('a passed-on change', () => {
  const from = { origin: 'a', epoch: EPOCH, sequence: toSequence(10) }
  const unknown = { direct: undefined, through: undefined, copied: new Map<string, string>() }

  it('is taken once, and not where it comes home or from its maker too', () => {
    expect(takesRelayed(from, unknown, 'c')).toBe(true)
    expect(takesRelayed(from, unknown, 'a')).toBe(false)
    expect(takesRelayed(from, { ...unknown, direct: { state: 'live' } }, 'c')).toBe(false)
    expect(takesRelayed(from, { ...unknown, through: from }, 'c')).toBe(false)
    expect(takesRelayed({ ...from, sequence: toSequence(11) }, { ...unknown, through: from }, 'c')).toBe(true)
  })

  it('of a copy is taken once from each who got it, and not when it is older than what has come', () => {
    const copy = { ...from, copy: { via: 'b', number: toSequence(3) } }
    expect(takesRelayed(copy, { ...unknown, through: from }, 'c')).toBe(true)
    expect(takesRelayed(copy, { ...unknown, through: { ...from, sequence: toSequence(11) } }, 'c')).toBe(false)
    expect(takesRelayed(copy, { ...unknown, copied: new Map([['b', toSequence(3)]]) }, 'c')).toBe(false)
    expect(takesRelayed(copy, { ...unknown, copied: new Map([['d', toSequence(3)]]) }, 'c')).toBe(true)
    expect(takesRelayed(copy, unknown, 'b')).toBe(false)
  })
})
