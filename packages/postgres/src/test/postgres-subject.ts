import { COLUMN_KINDS, postgresSyntax, sqlSourceHarness, type SourceHarness, type SourceSubject, type SqlSession } from '@tidemark/conformance'
import type { PostgresVersion } from '@tidemark/test-servers'
import { postgresForTests } from '@tidemark/test-servers/vitest'
import postgres from 'postgres'
import { postgresSource } from '../postgres-source.ts'

/** A port that no unprivileged process listens on. */
const DEAD_PORT = '1'
const SECRET = 'hunter2-conformance'

/** One server and one database per major; each case has a schema of its own in it, which costs a tenth of a database. */
export function postgresSubject(version: PostgresVersion | undefined): SourceSubject {
  let database: Promise<Database> | undefined
  let cases = 0
  return {
    name: version === undefined ? 'postgres' : `postgres ${version}`,
    traits: {
      capabilities: postgresSource({ url: 'postgres://anyone@localhost/any' }).capabilities,
      facts: {
        kinds: COLUMN_KINDS, textHoldsNul: false, maxNameLength: 63, reportsIndexes: true, openTransactions: true, blocksReads: true,
        killsConnections: true, unreachable: true, wrongPassword: true, holdsMarksBack: false, settlesNextToWriter: true,
      },
    },
    open: async () => {
      cases += 1
      return openHarness(await (database ??= openDatabase(version)), `case_${cases}`)
    },
  }
}

interface Database {
  /** URL of the ordinary user: a superuser's rights must not slip in as a silent requirement. */
  readonly url: string
  readonly control: SqlSession
}

/** Lives as long as the server, which the run gives up in the end. */
async function openDatabase(version: PostgresVersion | undefined): Promise<Database> {
  const server = await postgresForTests({ version })
  const { url } = await server.createDatabase()
  return { url, control: openSession(url) }
}

async function openHarness({ url, control }: Database, schema: string): Promise<SourceHarness> {
  await control.execute(`create schema ${schema}`)
  const source = (changed: string): ReturnType<typeof postgresSource> => postgresSource({ url: changed, defaultSchema: schema, applicationName: schema })
  return sqlSourceHarness({
    syntax: postgresSyntax,
    schema,
    openSession: async () => openSession(url),
    source: () => source(url),
    lock: (table) => ({ begin: ['begin', `lock table ${table} in access exclusive mode`], end: ['rollback'] }),
    killConnections: async () => {
      await control.execute(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${schema}'`)
    },
    unreachable: () => ({ source: source(changedUrl(url, { port: DEAD_PORT })), secret: SECRET }),
    wrongPassword: () => ({ source: source(changedUrl(url, {})), secret: SECRET }),
    dispose: async () => {
      await control.execute(`drop schema ${schema} cascade`)
    },
  })
}

function openSession(url: string): SqlSession {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  return { execute: async (text) => await sql.unsafe(text), close: () => sql.end({ timeout: 1 }) }
}

function changedUrl(url: string, change: { readonly port?: string }): string {
  return Object.assign(new URL(url), { password: SECRET, ...change }).href
}
