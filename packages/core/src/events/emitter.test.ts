import { describe, expect, it } from 'vitest'
import { Emitter } from './emitter.ts'

interface Events {
  'a:b': { readonly n: number }
}

describe('the emitter', () => {
  it('still calls the other listeners when one throws or rejects, and reports both', async () => {
    const failures: unknown[] = []
    const emitter = new Emitter<Events>((error) => failures.push(error))
    const seen: number[] = []
    emitter.on('a:b', () => { throw new Error('thrown') })
    emitter.on('a:b', () => Promise.reject(new Error('rejected')))
    emitter.on('a:b', ({ n }) => seen.push(n))
    emitter.emit('a:b', { n: 1 })
    await Promise.resolve()
    expect(seen).toEqual([1])
    expect(failures).toEqual([new Error('thrown'), new Error('rejected')])
  })

  it('stops calling an unsubscribed listener', () => {
    const emitter = new Emitter<Events>()
    const seen: number[] = []
    expect(emitter.isHeard('a:b')).toBe(false)
    const unsubscribe = emitter.on('a:b', ({ n }) => seen.push(n))
    expect(emitter.isHeard('a:b')).toBe(true)
    emitter.emit('a:b', { n: 1 })
    unsubscribe()
    unsubscribe()
    expect(emitter.isHeard('a:b')).toBe(false)
    emitter.emit('a:b', { n: 2 })
    expect(seen).toEqual([1])
  })
})
