import { setTimeout as sleep } from 'node:timers/promises'
import type postgres from 'postgres'
import { databaseName } from '../database-name.ts'
import type { ServerAccess, ServerInfo, TestDatabase } from '../server.ts'
import { urlParts, withDatabase } from '../url-parts.ts'
import { withConnection } from './with-connection.ts'

const SLOT_RELEASE_TIMEOUT_MS = 10_000

/** The ways to use a server that runs, from its plain description. */
export function postgresAccess(info: ServerInfo): ServerAccess {
  return {
    engine: info.engine,
    version: info.version,
    major: Number.parseInt(info.version, 10),
    origin: info.origin,
    ...urlParts(info.baseUrl, 5432),
    url: (database) => withDatabase(info.baseUrl, database),
    superuserUrl: (database) => withDatabase(info.superuserBaseUrl, database),
    createDatabase: (name) => createDatabase(info, databaseName(name)),
  }
}

async function createDatabase(info: ServerInfo, name: string): Promise<TestDatabase> {
  await withConnection(info.baseUrl, async (sql) => await sql`create database ${sql(name)} template template0`)
  return {
    name,
    url: withDatabase(info.baseUrl, name),
    superuserUrl: withDatabase(info.superuserBaseUrl, name),
    [Symbol.asyncDispose]: async () => await withConnection(info.superuserBaseUrl, async (sql) => await dropDatabase(sql, name)),
  }
}

/** A database can't be dropped while a slot decodes it, and a slot can't while its client is connected. */
async function dropDatabase(sql: postgres.Sql, name: string): Promise<void> {
  const deadline = performance.now() + SLOT_RELEASE_TIMEOUT_MS
  while (await dropFreeSlots(sql, name) > 0 && performance.now() < deadline) await sleep(20)
  await sql`drop database if exists ${sql(name)} with (force)`
}

/** Drops the slots that nobody holds, ends the sessions that hold others, and counts these. */
async function dropFreeSlots(sql: postgres.Sql, name: string): Promise<number> {
  await sql`select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = ${name} and not active`
  const held = await sql`select pg_terminate_backend(active_pid) from pg_replication_slots where database = ${name} and active`
  return held.length
}
