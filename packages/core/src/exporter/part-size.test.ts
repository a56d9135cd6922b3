import { describe, expect, it } from 'vitest'
import { partSize } from './part-size.ts'

const MIB = 1_048_576
const s3 = { equalParts: true, minPartBytes: 5 * MIB, maxPartBytes: 5_120 * MIB, maxParts: 10_000, conditionalPut: true, listsUploads: true, presigns: true }

describe('partSize', () => {
  it('is 8 MiB for what is small or unknown', () => {
    expect(partSize(s3, undefined)).toBe(8 * MIB)
    expect(partSize(s3, 0)).toBe(8 * MIB)
    expect(partSize(s3, 50 * 1_024 * MIB)).toBe(8 * MIB)
  })

  it('has room in 10,000 parts for a quarter more than estimated', () => {
    const bytes = 1_048_576 * MIB
    const size = partSize(s3, bytes)
    expect(Math.ceil((1.25 * bytes) / size)).toBeLessThanOrEqual(9_000)
    expect(size % MIB).toBe(0)
  })

  it('is what the storage takes', () => {
    expect(partSize({ ...s3, maxPartBytes: 6 * MIB }, undefined)).toBe(6 * MIB)
    expect(partSize({ ...s3, minPartBytes: 16 * MIB }, undefined)).toBe(16 * MIB)
  })
})
