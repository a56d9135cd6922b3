import { COLUMN_KINDS, mysqlSyntax, sqlSourceHarness, type SourceHarness, type SourceSubject, type SqlSession } from '@tidemark/conformance'
import type { ServerAccess } from '@tidemark/test-servers'
import { mysqlForTests } from '@tidemark/test-servers/vitest'
import { createConnection } from 'mysql2/promise'
import { mysqlSource } from '../mysql-source.ts'

/** A port that no unprivileged process listens on. */
const DEAD_PORT = '1'
const SECRET = 'hunter2-conformance'

/** One server per engine; each case has a database of its own on it. */
export function mysqlSubject(engine: 'mariadb' | 'mysql'): SourceSubject {
  return {
    name: engine,
    traits: {
      capabilities: mysqlSource({ url: 'mysql://anyone@localhost/any' }).capabilities,
      facts: {
        kinds: COLUMN_KINDS, textHoldsNul: true, maxNameLength: 64, reportsIndexes: true, openTransactions: true, blocksReads: true,
        killsConnections: true, unreachable: true, wrongPassword: true, holdsMarksBack: false, settlesNextToWriter: false,
      },
    },
    open: async () => openHarness(await mysqlForTests({ engine })),
  }
}

async function openHarness(server: ServerAccess): Promise<SourceHarness> {
  const database = await server.createDatabase()
  const control = openSession(database.superuserUrl)
  const source = (url: string): ReturnType<typeof mysqlSource> => mysqlSource({ url, tls: 'disable' })
  return sqlSourceHarness({
    syntax: mysqlSyntax,
    schema: database.name,
    openSession: async () => openSession(database.superuserUrl),
    // The ordinary user: a superuser's rights must not slip in as a silent requirement.
    source: () => source(database.url),
    lock: (table) => ({ begin: [`lock tables ${table} write`], end: ['unlock tables'] }),
    killConnections: async () => {
      const rows = await control.execute(`select id from information_schema.processlist where db = '${database.name}' and user = '${server.user}'`)
      for (const row of rows as readonly object[]) await control.execute(`kill ${String(Object.values(row)[0])}`)
    },
    unreachable: () => ({ source: source(changedUrl(database.url, { port: DEAD_PORT })), secret: SECRET }),
    wrongPassword: () => ({ source: source(changedUrl(database.url, {})), secret: SECRET }),
    dispose: async () => {
      await control.close()
      await database[Symbol.asyncDispose]()
    },
  })
}

/** Opened at the first statement, so that a case without one costs no connection. */
function openSession(url: string): SqlSession {
  let connection: ReturnType<typeof createConnection> | undefined
  return {
    execute: async (text) => {
      const [rows] = await (await (connection ??= createConnection({ uri: url, charset: 'utf8mb4' }))).query(text)
      return Array.isArray(rows) ? rows : []
    },
    close: async () => (await connection)?.destroy(),
  }
}

function changedUrl(url: string, change: { readonly port?: string }): string {
  return Object.assign(new URL(url), { password: SECRET, ...change }).href
}
