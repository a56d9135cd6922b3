import { expect, test } from 'vitest'
import { snapshotSees } from './snapshot-sees.ts'

test('what has ended is seen, what runs or comes later is not', () => {
  const seen = (snapshot: string, ...xids: readonly number[]): readonly number[] => xids.filter((xid) => snapshotSees(snapshot, xid))
  expect(seen('10:15:11,13', 3, 9, 10, 11, 12, 13, 14, 15, 16)).toEqual([3, 9, 10, 12, 14])
  expect(seen('10:10:', 9, 10, 11)).toEqual([9])
})

test('beyond 32 bits, and where these begin anew', () => {
  const epoch = 2n ** 32n
  expect(snapshotSees(`${epoch + 5n}:${epoch + 9n}:${epoch + 7n}`, 6)).toBe(true)
  expect(snapshotSees(`${epoch + 5n}:${epoch + 9n}:${epoch + 7n}`, 7)).toBe(false)
  expect(snapshotSees(`${epoch + 5n}:${epoch + 9n}:`, 9)).toBe(false)
  expect(snapshotSees(`${epoch + 5n}:${epoch + 9n}:`, 4294967295)).toBe(true)
  expect(snapshotSees(`${epoch - 2n}:${epoch - 1n}:`, 3)).toBe(false)
})
