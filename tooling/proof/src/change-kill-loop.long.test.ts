import { describe, it } from 'vitest'
import { expectConsumerKillsSurvived } from './scenarios/change-kill-loop-tests.ts'

describe('a process killed 160 times while it follows the changes of a SQLite file', () => {
  it('loses nothing and gets again only what it had not acknowledged', () => expectConsumerKillsSurvived({ generations: 8, kills: 20, rows: 600 }), 900_000)
})
