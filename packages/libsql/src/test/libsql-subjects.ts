import { createClient } from '@libsql/client'
import {
  COLUMN_KINDS, sqliteSyntax, sqliteTargetHarness, sqlSourceHarness, type SourceFacts, type SourceSubject, type TargetSubject,
} from '@tidemark/conformance'
import type { LibsqlConfig } from '../libsql-config.ts'
import { libsqlSource } from '../libsql-source.ts'
import { fileUrl, libsqlTarget } from '../libsql-target.ts'
import { BUSY_TIMEOUT_MS, openDatabase, openOracle } from './open-database.ts'
import { temporaryFolder } from './temporary-folder.ts'

const SECRET = 'hunter2-conformance'
/** A port that no unprivileged process listens on. */
const DEAD_SERVER = { url: 'http://127.0.0.1:1', authToken: SECRET }

const SOURCE_FACTS: SourceFacts = {
  kinds: COLUMN_KINDS, textHoldsNul: true, maxNameLength: 63, reportsIndexes: true,
  // A file has one writer at a time, and a reader that finds a lock is told so after the busy timeout.
  openTransactions: false, blocksReads: false, killsConnections: false, unreachable: true, wrongPassword: false, holdsMarksBack: false, settlesNextToWriter: true,
}

/** The two ways to a file: `libsql` opened by its path, or a client of the application's own. */
export type Way = 'libsql' | '@libsql/client'

export function libsqlSourceSubject(way: Way): SourceSubject {
  return {
    name: way,
    traits: { capabilities: libsqlSource(DEAD_SERVER).capabilities, facts: SOURCE_FACTS },
    open: async () => {
      const file = await openFile(way)
      return sqlSourceHarness({
        syntax: sqliteSyntax,
        openSession: async () => {
          const database = openDatabase(file.path)
          return { execute: async (sql) => database.exec(sql), close: async () => void database.close() }
        },
        source: () => libsqlSource(file.config()),
        unreachable: () => ({ source: libsqlSource(DEAD_SERVER), secret: SECRET }),
        dispose: file.dispose,
      })
    },
  }
}

export function libsqlTargetSubject(way: Way): TargetSubject {
  return {
    name: way,
    traits: { capabilities: libsqlTarget({ url: 'file:any.db' }).capabilities, facts: { reconnects: true, userTriggers: true, unreachable: true } },
    open: async () => {
      const file = await openFile(way)
      return sqliteTargetHarness({
        target: () => libsqlTarget(file.config()),
        oracle: openOracle(file.path),
        makeStateNewer: async (oracle, tablePrefix) => {
          await oracle.query(`update "${tablePrefix}meta" set value = '999' where key = 'schema_version'`)
        },
        unreachable: () => libsqlTarget(way === 'libsql' ? { url: fileUrl(`${file.path}/missing/target.db`) } : DEAD_SERVER),
        dispose: file.dispose,
      })
    },
  }
}

interface DatabaseFile {
  readonly path: string
  readonly config: () => LibsqlConfig
  readonly dispose: () => Promise<void>
}

async function openFile(way: Way): Promise<DatabaseFile> {
  const folder = await temporaryFolder()
  const path = folder.path('data.db')
  const clients: { close(): void }[] = []
  const config = (): LibsqlConfig => {
    if (way === 'libsql') return { url: fileUrl(path), busyTimeoutMs: BUSY_TIMEOUT_MS }
    // A client of a file has several connections by default, and a PRAGMA is one connection's.
    const client = createClient({ url: fileUrl(path), intMode: 'bigint', timeout: BUSY_TIMEOUT_MS, concurrency: 1 })
    clients.push(client)
    return { client }
  }
  const dispose = async (): Promise<void> => {
    for (const client of clients) client.close()
    await folder.remove()
  }
  return { path, config, dispose }
}
