import { describe, it } from 'vitest'
import { expectConsumerKillsSurvived, expectWriterKillsSurvived } from './scenarios/change-kill-loop-tests.ts'

describe('a process killed 160 times', () => {
  it('loses nothing while it follows the changes of a SQLite file, and gets again only what it had not acknowledged', () => expectConsumerKillsSurvived({ generations: 8, kills: 20, rows: 600 }), 1_800_000)
  it('shows only what it had committed while it writes', () => expectWriterKillsSurvived({ kills: 160, rows: 1_000 }), 1_800_000)
})
