import { COLUMN_KINDS, type SourceFacts } from '@tidemark/conformance'

/** A SQLite file, whatever the driver. */
export const SQLITE_SOURCE_FACTS: SourceFacts = {
  kinds: COLUMN_KINDS,
  textHoldsNul: true,
  maxNameLength: 63,
  reportsIndexes: true,
  // A file has one writer at a time.
  openTransactions: false,
  // A reader that finds a lock is told so after the busy timeout, by a driver that blocks the thread meanwhile.
  blocksReads: false,
  killsConnections: false,
  unreachable: true,
  wrongPassword: false,
  holdsMarksBack: false, settlesNextToWriter: true,
}
