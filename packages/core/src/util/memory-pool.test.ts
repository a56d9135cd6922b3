import { expect, it } from 'vitest'
import { MemoryPool } from './memory-pool.ts'

function takeAll(pool: MemoryPool, count: number): readonly ArrayBuffer[] {
  return Array.from({ length: count }, () => pool.take())
}

function kept(size: number, maxFreeBytes: number): number {
  const pool = new MemoryPool({ size, maxFreeBytes })
  const first = new Set(takeAll(pool, 1000))
  for (const piece of first) pool.recycle(new Uint8Array(piece))
  return takeAll(pool, 1000).filter((piece) => first.has(piece)).length
}

it('keeps so many bytes, however small the pieces are, and at least one piece', () => {
  expect(kept(10, 1000)).toBe(100)
  expect(kept(500, 1000)).toBe(2)
  expect(kept(999, 1000)).toBe(2)
  expect(kept(5000, 1000)).toBe(1)
})

it('takes nothing back that it did not give', () => {
  const pool = new MemoryPool({ size: 10, maxFreeBytes: 100 })
  const other = new ArrayBuffer(10)
  pool.recycle(new Uint8Array(other))
  expect(pool.take()).not.toBe(other)
})
