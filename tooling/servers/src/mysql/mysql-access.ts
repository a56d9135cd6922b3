import { databaseName } from '../database-name.ts'
import type { ServerAccess, ServerInfo, TestDatabase } from '../server.ts'
import { urlParts, withDatabase } from '../url-parts.ts'
import { withConnection } from './with-connection.ts'

/** The ways to use a server that runs, from its plain description. */
export function mysqlAccess(info: ServerInfo): ServerAccess {
  return {
    engine: info.engine,
    version: info.version,
    major: Number.parseInt(info.version, 10),
    origin: info.origin,
    ...urlParts(info.baseUrl, 3306),
    url: (database) => withDatabase(info.baseUrl, database),
    superuserUrl: (database) => withDatabase(info.superuserBaseUrl, database),
    createDatabase: (name) => createDatabase(info, databaseName(name)),
  }
}

async function createDatabase(info: ServerInfo, name: string): Promise<TestDatabase> {
  await withConnection(info.baseUrl, async (connection) => await connection.query(`create database \`${name}\` character set utf8mb4`))
  return {
    name,
    url: withDatabase(info.baseUrl, name),
    superuserUrl: withDatabase(info.superuserBaseUrl, name),
    [Symbol.asyncDispose]: async () => await dropDatabase(info, name),
  }
}

/** Sessions in the database are ended first: one with an open transaction would hold up the drop by its locks. */
async function dropDatabase(info: ServerInfo, name: string): Promise<void> {
  await withConnection(info.superuserBaseUrl, async (connection) => {
    const [rows] = await connection.query('select id from information_schema.processlist where db = ?', [name])
    for (const row of Array.isArray(rows) ? rows : []) {
      if ('id' in row || 'ID' in row) await connection.query(`kill ${Number('id' in row ? row['id'] : row['ID'])}`).catch(() => {})
    }
    await connection.query(`drop database if exists \`${name}\``)
  })
}
