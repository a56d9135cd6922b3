import { describe, expect, it } from 'vitest'
import { encodeCheckpoint, type CheckpointState } from '../change/change-checkpoint.ts'
import { toSequence } from '../change/log-position.ts'
import { memoryStateStore } from '../state/memory-state-store.ts'
import { checkpointKey, checkpointPrefix, CheckpointKeeper, subscriberOf } from './checkpoint-keeper.ts'

const state = (at: number): CheckpointState => ({ source: 'db', position: { epoch: 'e', sequence: toSequence(at), detail: '' }, snapshot: null })

function keeper(store = memoryStateStore()) {
  return { store, keeper: new CheckpointKeeper({ store, key: 'k', persist: (work) => work() }) }
}

describe('a kept checkpoint', () => {
  it('is what was saved last, however many saves are under way', async () => {
    const { store, keeper: kept } = keeper()
    expect(await kept.load()).toBeUndefined()
    await Promise.all([1, 2, 3].map((at) => kept.save(state(at))))
    await kept.save(state(3))
    expect(await store.get('k')).toEqual({ value: encodeCheckpoint(state(3)), version: 3 })
    expect(await new CheckpointKeeper({ store, key: 'k', persist: (work) => work() }).load()).toEqual(state(3))
  })

  it('is not taken for saved when somebody else has saved the same, later', async () => {
    const { store, keeper: kept } = keeper()
    await kept.save(state(1))
    await store.set('k', encodeCheckpoint(state(5)), 1)
    await store.set('k', encodeCheckpoint(state(2)), 2)
    await expect(kept.save(state(2))).rejects.toMatchObject({ code: 'STATE_CONFLICT' })
    // A conflict is for good, and does not hold up the next save.
    await expect(kept.save(state(3))).rejects.toMatchObject({ code: 'STATE_CONFLICT' })
  })

  it('stands under a key of its own, whatever the names', () => {
    const names = ['a', 'a/b', '', '%', '../x', 'ü']
    const keys = names.flatMap((stream) => names.flatMap((source) => names.map((subscriber) => checkpointKey({ stream, source, subscriber }))))
    expect(new Set(keys).size).toBe(names.length ** 3)
    const prefix = checkpointPrefix({ stream: 'a/b', source: '%' })
    expect(subscriberOf(checkpointKey({ stream: 'a/b', source: '%', subscriber: '../x' }), prefix)).toBe('../x')
  })
})
