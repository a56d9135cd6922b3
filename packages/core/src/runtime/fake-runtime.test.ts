import { describe, expect, it } from 'vitest'
import { FakeRuntime } from './fake-runtime.ts'

describe('the fake runtime', () => {
  it('fires timers in the order of their due time, and lets each one\'s promises run first', async () => {
    const runtime = new FakeRuntime({ startMs: 0 })
    const seen: string[] = []
    runtime.wakeAfter('late', 20, () => Promise.resolve().then(() => void seen.push(`late at ${runtime.now()}`)))
    runtime.wakeAfter('early', 10, async () => {
      await Promise.resolve()
      seen.push(`early at ${runtime.now()}`)
    })
    await runtime.advance(15)
    expect(seen).toEqual(['early at 10'])
    await runtime.advance(5)
    expect(seen).toEqual(['early at 10', 'late at 20'])
    expect(runtime.pending).toBe(0)
  })

  it('replaces a wake-up of the same name', async () => {
    const runtime = new FakeRuntime({ startMs: 0 })
    const seen: number[] = []
    runtime.wakeAfter('name', 10, () => Promise.resolve(void seen.push(1)))
    runtime.wakeAfter('name', 20, () => Promise.resolve(void seen.push(2)))
    await runtime.advance(100)
    expect(seen).toEqual([2])
  })

  it('rejects a sleep as soon as its signal fires', async () => {
    const runtime = new FakeRuntime()
    const controller = new AbortController()
    const sleep = runtime.sleep(1_000, controller.signal)
    controller.abort()
    await expect(sleep).rejects.toMatchObject({ code: 'ABORTED' })
    expect(runtime.pending).toBe(0)
  })

  it('gives the same numbers for the same seed', () => {
    const numbers = (seed: number) => {
      const runtime = new FakeRuntime({ seed })
      return [runtime.random(), runtime.random(), runtime.random()]
    }
    expect(numbers(7)).toEqual(numbers(7))
    expect(numbers(7)).not.toEqual(numbers(8))
  })
})
