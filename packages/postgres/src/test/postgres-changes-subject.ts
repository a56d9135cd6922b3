import { awaitingSource, COLUMN_KINDS, changeSyntaxOfPostgres, sqlChangeHarness, type ChangeHarness, type ChangeSubject, type SqlSession } from '@tidemark/conformance'
import type { ChangeSource } from '@tidemark/core/adapter'
import type { PostgresVersion } from '@tidemark/test-servers'
import { postgresForTests } from '@tidemark/test-servers/vitest'
import postgres from 'postgres'
import { postgresChanges } from '../stream/postgres-changes.ts'
import { makeDatabase } from '../stream/test/stream-database.ts'
import { postgresCells } from './postgres-cells.ts'

/** A port that no unprivileged process listens on. */
const DEAD_PORT = '1'
const SECRET = 'hunter2-conformance'

/** A database for each case: what a server keeps for a reader is told by database. One slot, and so one reader at a time, for each name of a source. */
export function postgresChangesSubject(version: PostgresVersion | undefined): ChangeSubject {
  return {
    name: `postgres ${version ?? ''} log`,
    traits: {
      capabilities: postgresChanges({ url: 'postgres://anyone@localhost/any', slot: 'any', tables: ['t'] }).capabilities,
      facts: {
        kinds: COLUMN_KINDS, textHoldsNul: false, blobHoldsAny: false, maxNameLength: 63, clients: true, openTransactions: true, outlivesFailure: false,
        replaces: [], cascades: true, truncates: true, consumers: 'one',
        // What is computed is not in the log.
        generated: [], withoutRowid: false,
        alters: ['add', 'rename', 'drop'], views: true, virtualTables: false, purges: false, restores: false, replacesDatabase: false,
        wakes: false, unreachable: true, wrongPassword: true,
      },
    },
    open: () => openHarness(version),
  }
}

async function openHarness(version: PostgresVersion | undefined): Promise<ChangeHarness> {
  const database = await makeDatabase(await postgresForTests({ version }))
  const open = (url: string, { name, tables }: { readonly name: string; readonly tables: readonly string[] }): ChangeSource =>
    awaitingSource(postgresChanges({ url, name, tables, slot: `${database.slot}_${name.toLowerCase().replaceAll(/[^a-z0-9]/g, '_')}`, tls: 'disable' }))
  const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
  return sqlChangeHarness({
    syntax: changeSyntaxOfPostgres(),
    schema: 'public',
    openSession: async () => session(database.url),
    openOther: async () => session(database.url),
    source: ({ tables, name }) => open(database.url, { name, tables: tables.map((table) => `public.${quoted(table.name)}`) }),
    cells: ({ ref, spec }) => postgresCells(database.sql, { table: `public.${quoted(ref.name)}`, columns: spec.columns.map(({ name, kind }) => ({ name: quoted(name), kind })) }),
    schemaDigest: async () => JSON.stringify(await database.admin`SELECT slot_name::text AS name, 'slot' AS kind FROM pg_replication_slots WHERE database = current_database()
      UNION ALL SELECT pubname::text, 'publication' FROM pg_publication UNION ALL SELECT relname::text, relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
      UNION ALL SELECT tgname::text, 'trigger' FROM pg_trigger WHERE NOT tgisinternal ORDER BY 2, 1`),
    createView: (name, table) => `create view ${name} as select * from ${table}`,
    unreachable: () => ({ source: open(changed(database.url, { port: DEAD_PORT }), { name: 'dead', tables: ['t'] }), secret: SECRET }),
    wrongPassword: () => ({ source: open(changed(database.url, {}), { name: 'wrong', tables: ['t'] }), secret: SECRET }),
    dispose: async () => await database[Symbol.asyncDispose](),
  })
}

function session(url: string): SqlSession {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  return { execute: async (text) => void await sql.unsafe(text), close: () => sql.end({ timeout: 1 }) }
}

function changed(url: string, change: { readonly port?: string }): string {
  return Object.assign(new URL(url), { password: SECRET, ...change }).href
}
