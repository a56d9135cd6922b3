import { DatabaseSync } from 'node:sqlite'
import { SQLITE_SESSION_FACTS, sqliteChangeHarness, type ChangeSubject, type SqlSession } from '@tidemark/conformance'
import { quote } from '@tidemark/sqlite'
import { sessionChanges, type SessionChanges } from '../session/session-changes.ts'
import { openOracle, openSession } from './sqlite-changes-subjects.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** The harness's client writes through the connection that has the sessions; others are those that the source does not see. */
export function sessionChangesSubject(): ChangeSubject {
  return {
    name: 'node:sqlite sessions',
    traits: { capabilities: sessionChanges(new DatabaseSync(':memory:'), { tables: ['t'] }).capabilities, facts: SQLITE_SESSION_FACTS },
    open: async () => {
      const folder = await temporaryFolder()
      const path = folder.path('data.db')
      const database = new DatabaseSync(path)
      database.exec('pragma journal_mode = wal; pragma synchronous = off')
      let source: SessionChanges | undefined
      return sqliteChangeHarness({
        openSession: async () => sharedSession(database, () => source),
        openOther: async () => openSession(path),
        openOracle: async () => openOracle(path),
        source: ({ tables, name }) => (source = sessionChanges(database, { tables: tables.map((table) => quote(table.name)), name })),
        dispose: async () => {
          database.close()
          await folder.remove()
        },
      })
    },
  }
}

/** Through the wrapper where a statement is a transaction of its own, so that its end is known. */
function sharedSession(database: DatabaseSync, source: () => SessionChanges | undefined): SqlSession {
  return {
    execute: async (sql) => {
      const changes = source()
      const isOwn = database.isTransaction || /^(?:begin|pragma|create|alter|drop)/i.test(sql)
      if (changes !== undefined && !isOwn) return changes.transaction(() => database.exec(sql))
      database.exec(sql)
      // Takes what the transaction did, before the next one comes to it.
      if (sql === 'commit') changes?.transaction(() => undefined)
    },
    close: async () => undefined,
  }
}
