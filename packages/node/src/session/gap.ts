import { TidemarkError } from '@tidemark/core/adapter'

/** Why changes are missing. */
export type GapReason = 'foreign-write' | 'overflow' | 'capture-failed' | 'table-replaced' | 'not-recorded' | 'earlier-process' | 'already-read'

const SENTENCES: Readonly<Record<GapReason, string>> = {
  'foreign-write': 'Another connection has written to the database, which a session does not see.',
  overflow: 'More changes than `maxBufferedBytes` were waiting to be read.',
  'capture-failed': 'A transaction could not be recorded: it changed a table\'s columns and its rows together, or the session failed.',
  'table-replaced': 'A captured table was dropped and made anew, or another was renamed in its place.',
  'not-recorded': 'The database was written to while the source was not connected.',
  'earlier-process': 'The position is one of an earlier source: what a session records ends with it.',
  'already-read': 'The changes after the position were read and let go of before.',
}

export function gapError(reason: GapReason): TidemarkError {
  return new TidemarkError('CHANGE_GAP', SENTENCES[reason], { detail: reason })
}
