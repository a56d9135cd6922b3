import { describe, it } from 'vitest'
import { expectConsumerKillsSurvived } from './scenarios/change-kill-loop-tests.ts'

describe('a process killed again and again while it follows the changes of a SQLite file', () => {
  it('loses nothing and gets again only what it had not acknowledged', () => expectConsumerKillsSurvived({ generations: 2, kills: 6, rows: 600 }), 120_000)
})
