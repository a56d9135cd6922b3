import { describe, it } from 'vitest'
import { expectChaosSurvived } from './scenarios/propagate-chaos-tests.ts'

describe('propagating through cut, hanging, late, doubled and replayed requests between processes that are killed, for long', () => {
  it('brings every peer to what the writer has, by states that it had', () => expectChaosSurvived({ runs: 200 }), 3_600_000)
})
