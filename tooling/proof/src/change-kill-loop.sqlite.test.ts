import { describe, it } from 'vitest'
import { expectConsumerKillsSurvived, expectWriterKillsSurvived } from './scenarios/change-kill-loop-tests.ts'

describe('a process killed again and again', () => {
  it('loses nothing while it follows the changes of a SQLite file, and gets again only what it had not acknowledged', () => expectConsumerKillsSurvived({ generations: 2, kills: 6, rows: 600 }), 120_000)
  it('shows only what it had committed while it writes', () => expectWriterKillsSurvived({ kills: 12, rows: 400 }), 120_000)
})
