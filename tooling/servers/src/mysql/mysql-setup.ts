import { finishOrDispose, ownServer } from '../own-server.ts'
import type { ServerInfo, ServerLifecycle, ServerOrigin, TestServer } from '../server.ts'
import { mysqlAccess } from './mysql-access.ts'
import type { MysqlEngine } from './mysql-settings.ts'
import { mysqlUrls, type MysqlUsers } from './mysql-users.ts'
import { withConnection } from './with-connection.ts'

/** Rejects until the server takes a session and answers in it. */
export async function probeMysql(url: string): Promise<void> {
  await withConnection(url, async (connection) => await connection.query('select 1'))
}

/** Such as `10.11.19-MariaDB-0+deb12u1-log` or `5.6.24-log`. */
export async function readServerVersion(url: string): Promise<string> {
  return await withConnection(url, async (connection) => {
    const [rows] = await connection.query('select version() as version')
    const [row] = Array.isArray(rows) ? rows : []
    return row !== undefined && 'version' in row ? String(row['version']) : 'unknown'
  })
}

export function engineOf(version: string): MysqlEngine {
  return /mariadb/i.test(version) ? 'mariadb' : 'mysql'
}

/** Describes a server that was just started and has its users. */
export async function finishMysql(
  lifecycle: ServerLifecycle,
  at: { readonly origin: ServerOrigin; readonly host: string; readonly port: number; readonly users: MysqlUsers },
): Promise<TestServer> {
  return await finishOrDispose(lifecycle, async () => {
    const urls = mysqlUrls(at.users, at.host, at.port)
    const version = await readServerVersion(urls.baseUrl)
    const info: ServerInfo = { engine: engineOf(version), version, origin: at.origin, ...urls }
    return ownServer(info, mysqlAccess(info), lifecycle)
  })
}
