import { describe, it } from 'vitest'
import { expectSnapshotRaceWon } from './scenarios/change-snapshot-race-tests.ts'

describe('snapshots in small chunks while many other processes write', () => {
  it.each([{ rows: 2_000, writers: 3, batchEvents: 7 }, { rows: 10_000, writers: 4, batchEvents: 64 }])('show no wrong row and none older than what was delivered before: %o', (options) => expectSnapshotRaceWon(options), 900_000)
})
