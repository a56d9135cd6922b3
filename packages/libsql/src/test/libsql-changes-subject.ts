import { copyFile, rm } from 'node:fs/promises'
import { createClient } from '@libsql/client'
import { SQLITE_CHANGE_FACTS, sqliteChangeHarness, type ChangeSubject } from '@tidemark/conformance'
import { quote } from '@tidemark/sqlite'
import Database from 'libsql'
import { libsqlChanges } from '../libsql-changes.ts'
import type { LibsqlConfig } from '../libsql-config.ts'
import { fileUrl } from '../libsql-target.ts'
import type { Way } from './libsql-subjects.ts'
import { openDatabase, openOracle } from './open-database.ts'
import { temporaryFolder } from './temporary-folder.ts'

const SECRET = 'hunter2-conformance'
/** A port that no unprivileged process listens on. */
const DEAD_SERVER = { url: 'http://127.0.0.1:1', authToken: SECRET }

/** Of a client of a file only the path is taken, so the log's own connections are `libsql`'s either way. */
export function libsqlChangesSubject(way: Way): ChangeSubject {
  return {
    name: `${way} triggers`,
    traits: { capabilities: libsqlChanges(DEAD_SERVER, { tables: ['t'] }).capabilities, facts: { ...SQLITE_CHANGE_FACTS, unreachable: true } },
    open: async () => {
      const folder = await temporaryFolder()
      const path = folder.path('data.db')
      const clients: { close(): void }[] = []
      const remove = async (): Promise<void> => {
        for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true })
      }
      const config = (): LibsqlConfig => {
        if (way === 'libsql') return { url: fileUrl(path) }
        const client = createClient({ url: fileUrl(path), intMode: 'bigint' })
        clients.push(client)
        return { client }
      }
      return sqliteChangeHarness({
        openSession: async () => session(path),
        openOracle: async () => openOracle(path),
        source: ({ tables, name }) => libsqlChanges(config(), { tables: tables.map((table) => quote(table.name)), name }),
        unreachable: () => ({ source: libsqlChanges(DEAD_SERVER, { tables: ['t'] }), secret: SECRET }),
        file: {
          backup: () => copyFile(path, folder.path('backup.db')),
          restore: async () => {
            await remove()
            await copyFile(folder.path('backup.db'), path)
          },
          remove: async () => {
            await remove()
            new Database(path).close()
          },
        },
        dispose: async () => {
          for (const client of clients) client.close()
          await folder.remove()
        },
      })
    },
  }
}

function session(path: string): { execute(sql: string): Promise<unknown>; close(): Promise<void> } {
  const database = openDatabase(path)
  return { execute: async (sql) => database.exec(sql), close: async () => void database.close() }
}
