import { describe, expect, it } from 'vitest'
import { memoryStateStore } from './memory-state-store.ts'
import { RequestKeys } from './request-keys.ts'

function make(options: { readonly maxKeys?: number } = {}): { readonly keys: RequestKeys; readonly clock: { nowMs: number }; readonly store: ReturnType<typeof memoryStateStore> } {
  const clock = { nowMs: 1_000 }
  const store = memoryStateStore()
  return { clock, store, keys: new RequestKeys({ store, runtime: { now: () => clock.nowMs }, prefix: 'key/', maxAgeMs: 100, ...options }) }
}

describe('an idempotency key', () => {
  it('stands for the first id that was claimed under it, and for the same request only', async () => {
    const { keys } = make()
    expect(await keys.claim({ key: 'a', id: '1', request: 'x' })).toBe('1')
    expect(await keys.claim({ key: 'a', id: '2', request: 'x' })).toBe('1')
    expect(await keys.claim({ key: 'b', id: '3', request: 'x' })).toBe('3')
    await expect(keys.claim({ key: 'a', id: '4', request: 'y' })).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
  })

  it('is claimed by one of many at once', async () => {
    const { keys } = make()
    const ids = await Promise.all(Array.from({ length: 50 }, (_, index) => keys.claim({ key: 'a', id: String(index), request: 'x' })))
    expect(new Set(ids).size).toBe(1)
  })

  it('is new again when it is too old, or forgotten', async () => {
    const { keys, clock } = make()
    await keys.claim({ key: 'a', id: '1', request: 'x' })
    clock.nowMs += 99
    await expect(keys.claim({ key: 'a', id: '2', request: 'y' })).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
    clock.nowMs += 1
    expect(await keys.claim({ key: 'a', id: '2', request: 'y' })).toBe('2')
    // The first export under it is deleted only now.
    await keys.forget(await keys.keyOf('a'), '1')
    expect(await keys.claim({ key: 'a', id: '3', request: 'y' })).toBe('2')
    await keys.forget(await keys.keyOf('a'), '2')
    expect(await keys.claim({ key: 'a', id: '3', request: 'z' })).toBe('3')
  })

  it('is one of so many, of which the oldest go, and neither it nor the request is kept', async () => {
    const { keys, clock, store } = make({ maxKeys: 20 })
    for (let i = 0; i < 50; i += 1) {
      clock.nowMs += 1
      await keys.claim({ key: `canary-${i}`, id: String(i), request: 'canary-request' })
      expect((await store.list('key/')).length).toBeLessThanOrEqual(20)
    }
    expect(await keys.claim({ key: 'canary-49', id: 'another', request: 'canary-request' })).toBe('49')
    expect(await keys.claim({ key: 'canary-0', id: 'another', request: 'canary-request' })).toBe('another')
    const all = await Promise.all((await store.list('')).map(async (key) => [key, (await store.get(key))?.value]))
    expect(JSON.stringify(all)).not.toContain('canary')
  })
})
