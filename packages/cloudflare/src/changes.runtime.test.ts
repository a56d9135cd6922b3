import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { d1Scenarios } from './test/d1-scenarios.ts'
import { sharedScenarios } from './test/shared-scenarios.ts'
import { startWorker, type StartedWorker } from './test/start-worker.ts'

let worker: StartedWorker
beforeAll(async () => {
  const d1Databases = Object.keys({ ...sharedScenarios, ...d1Scenarios })
  worker = await startWorker('stream-worker.ts', { durableObjects: { OBJECTS: { className: 'StreamObject', useSQLite: true } }, d1Databases })
})
afterAll(() => worker[Symbol.asyncDispose]())

/** An object of the scenario's own name, so that each has a new one. */
async function ask(place: 'object' | 'd1', scenario: string): Promise<unknown> {
  return JSON.parse(await worker.ask(`/${place === 'd1' ? place : scenario}/${scenario}`))
}

describe.each(['object', 'd1'] as const)('%s', (place) => {
  it('reads a table by keys of every kind of value, each once and in order', async () => {
    expect(await ask(place, 'keys')).toEqual([[
      ['-Infinity', 'x'], ['-9223372036854775808n', 'x'], ['1n', 'y'], [1.5, 'x'], ['9007199254740992n', 'x'], ['9007199254740993n', 'x'], ['9223372036854775807n', 'x'],
      ['', 'x'], ['\u0001', 'x'], ['\u00017', '\0'], ['5', 'x'], [[], 'x'], [[0, 255], 'x'],
    ], [['Infinity', 'x'], ['Infinity', 'y'], ['9', 'x']], [['9223372036854775807n'], ['5']]])
  })

  it('gives every value as it is', async () => {
    const row = (id: number, v: unknown, n: unknown): readonly unknown[] => ['insert', null, { id, v, n }]
    expect(await ask(place, 'values')).toEqual([
      row(1, '1n', '9007199254740993n'), row(2, 1, 7), row(3, '-Infinity', null), row(4, 'a\0b', 0), row(5, '\u0001t', 0), row(6, 'A\uFFFD', '-9223372036854775808n'), row(7, [1, 255], 1),
      ['update', { id: 2, v: 1, n: 7 }, { id: 2, v: 1, n: 8 }],
    ])
  })

  it('logs rows near the limit, and their updates', async () => {
    const old = { id: 1, a: '400000 characters', b: '1000000 bytes' }
    const now = { ...old, a: '900000 characters' }
    expect(await ask(place, 'large')).toEqual([['insert', null, old], ['update', old, now], ['snapshot', null, now]])
  })

  it('captures as many columns as it says, and refuses more', async () => {
    expect(await ask(place, 'wide')).toEqual([[['insert', null, '2n'], ['update', '3n', '2n']], 1, 'TABLE_NOT_CAPTURABLE'])
  })

  it('captures what REPLACE removes by any of many unique keys', async () => {
    expect(await ask(place, 'uniqueKeys')).toEqual(['insert 1', 'insert 2', 'insert 3', 'delete 1', 'delete 3', 'insert 4'])
  })

  it('follows columns that come and change their names, and notices a table that was made anew', async () => {
    expect(await ask(place, 'schemaChanges')).toEqual([[['id']], { id: 2, c: '3n', b: '4n' }, 'CHANGE_GAP table-replaced'])
  })

  it('looks again when a table changes between its reading and the making of triggers', async () => {
    expect(await ask(place, 'changedMeanwhile')).toEqual([{ id: 1, a: '2n' }])
  })

  it('keeps state by version', async () => {
    expect(await ask(place, 'state')).toEqual({ second: 2, codes: ['STATE_CONFLICT', 'STATE_CONFLICT', 'STATE_CONFLICT'], found: { value: 'two', version: 2 }, left: [] })
  })

  it('gives a lease to one, and a version to one', async () => {
    expect(await ask(place, 'contended')).toEqual([[1], ['STATE_CONFLICT', 'none']])
  })

  it('is a source whose tables are copied with every value as it is, also the widest, and by keys of several columns', async () => {
    expect(await ask(place, 'copiedTables')).toEqual({
      first: [[4, 0, 0], [1, 0, 0], [300, 0, 0]], second: [[4, 0, 0], [1, 0, 0], [200, 0, 0]], bad: 'VALUE_UNREPRESENTABLE', view: [true, false],
    })
  })

  it('takes away all that it made', async () => {
    expect(await ask(place, 'uninstall')).toEqual([true, ['t'], { isInstalled: false, tables: [], events: 0, consumers: [] }])
  })
})

describe('a Durable Object', () => {
  it('alters captured tables, all or nothing', async () => {
    expect(await ask('object', 'alter')).toEqual(['SOURCE_FAILED SQLITE_ERROR', [
      ['truncate', 'o', null], ['insert', 'o', { id: 1, a: '5' }], ['insert', 't', { id: 1, b: '2n' }], ['insert', 'o', { id: 2, a: '3' }],
    ]])
  })

  it('loses no write of the application between two steps of a transaction of ours', async () => {
    expect(await ask('object', 'interleaved')).toEqual(['TABLE_UNKNOWN', [[41]], [{ id: 100, a: '1n' }]])
  })

  it('never sees what transactionSync takes back', async () => {
    expect(await ask('object', 'rolledBack')).toEqual(['insert 2'])
  })

  it('tells a gap where it was read inside of a transaction that was taken back', async () => {
    expect(await ask('object', 'readWhileOpen')).toEqual([['insert 1'], 'CHANGE_GAP source-changed'])
  })

  it('streams to a loop at once when it is told of writes', async () => {
    await worker.ask('/live/write/1')
    expect(JSON.parse(await worker.ask('/live/live/3'))).toEqual(['user 1001', 'user 1002', 'user 1003'])
  })

  it('goes on where it was after it was evicted', async () => {
    for (const id of [1, 2]) await worker.ask(`/evicted/write/${id}`)
    expect(JSON.parse(await worker.ask('/evicted/take/2'))).toEqual([['snapshot', { id: 1, name: 'user 1' }], ['snapshot', { id: 2, name: 'user 2' }]])
    await worker.ask('/evicted/write/3')
    await expect(worker.ask('/evicted/abort')).rejects.toThrow('evicted by the test')
    await worker.ask('/evicted/write/4')
    expect(JSON.parse(await worker.ask('/evicted/take/2'))).toEqual([['insert', { id: 3, name: 'user 3' }], ['insert', { id: 4, name: 'user 4' }]])
  })
})

describe('D1', () => {
  it('makes one log of several at once, while tables change', async () => {
    expect(await ask('d1', 'concurrentInstalls')).toEqual([['a 2', 'b 1', 'c 1', 'd 2'], [['a', { id: 0, x: null }], ['b', { id: 1 }], ['c', { id: 2 }], ['d', { id: 3, x: null }]]])
  })

  it('writes nothing for a consumer whose lease was taken over', async () => {
    expect(await ask('d1', 'takenOver')).toEqual(['LEASE_LOST', null])
  })

  it('refuses alter, and its way out gives the rows anew', async () => {
    expect(await ask('d1', 'alter')).toEqual(['NOT_SUPPORTED', [
      ['insert', { id: 1, a: '2n', b: '3n' }], ['truncate', null], ['insert', { id: 1, b: '3n' }], ['insert', { id: 2, b: '4n' }],
    ]])
  })
})

describe('a copy that takes the place of one that another table refers to', () => {
  it('takes no row of that table with it in an object', async () => {
    expect(await ask('object', 'replacedCopy')).toEqual(['none', [[10, 1], [11, 2]]])
  })

  it('is refused on D1, where foreign keys can\'t be switched off', async () => {
    expect(await ask('d1', 'replacedCopy')).toEqual(['NOT_SUPPORTED', [[10, 1], [11, 2]]])
  })

  it('is refused on D1 too when that table comes only once it was looked for', async () => {
    expect(await ask('d1', 'lateReference')).toEqual(['NOT_SUPPORTED', []])
  })
})
