import { expect, test } from 'vitest'
import { isLeftover, temporaryTailName } from './drop-tail-leftovers.ts'

test('only a tail without a slot that began an hour ago has left something', () => {
  const nowMs = Date.UTC(2026, 0, 2)
  const slot = temporaryTailName(nowMs, '0123456789ab')
  expect(slot).toBe('tidemark_tail_mjvv7rwg_01234567'.replace('mjvv7rwg', nowMs.toString(36)))
  expect(isLeftover({ slot, hasSlot: false }, nowMs + 3_600_000)).toBe(true)
  expect(isLeftover({ slot, hasSlot: false }, nowMs + 3_599_999)).toBe(false)
  expect(isLeftover({ slot, hasSlot: true }, nowMs + 3_600_000)).toBe(false)
  for (const other of ['tidemark_tail_mine', 'app', `${slot}0`]) expect(isLeftover({ slot: other, hasSlot: false }, nowMs + 3_600_000)).toBe(false)
})
