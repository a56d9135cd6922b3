import { describe, it } from 'vitest'
import { expectSnapshotRaceWon } from './scenarios/change-snapshot-race-tests.ts'

describe('snapshots in small chunks while other processes write', () => {
  it('show no wrong row and none older than what was delivered before', () => expectSnapshotRaceWon({ rows: 300, writers: 2, batchEvents: 16 }), 120_000)
})
