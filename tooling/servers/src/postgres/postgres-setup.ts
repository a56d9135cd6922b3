import { randomBytes } from 'node:crypto'
import { finishOrDispose, ownServer } from '../own-server.ts'
import type { ServerInfo, ServerLifecycle, ServerOrigin, TestServer } from '../server.ts'
import { postgresAccess } from './postgres-access.ts'
import { withConnection } from './with-connection.ts'

const USER = 'tidemark'

/** Rejects until the server takes a session and answers in it. */
export async function probePostgres(url: string): Promise<void> {
  await withConnection(url, async (sql) => await sql`select 1`)
}

/** Such as `18.4`, without a distribution's suffix. */
export async function readServerVersion(url: string): Promise<string> {
  return await withConnection(url, async (sql) => {
    const [row] = await sql<{ server_version: string }[]>`show server_version`
    return row?.server_version.split(' ')[0] ?? 'unknown'
  })
}

/** Makes the ordinary user of a server that was just started, and describes the server. */
export async function finishPostgres(
  lifecycle: ServerLifecycle,
  { origin, superuserUrl }: { readonly origin: ServerOrigin; readonly superuserUrl: string },
): Promise<TestServer> {
  return await finishOrDispose(lifecycle, async () => {
    const baseUrl = await createUser(superuserUrl)
    const info: ServerInfo = {
      engine: 'postgres',
      version: await readServerVersion(superuserUrl),
      origin,
      baseUrl,
      superuserBaseUrl: superuserUrl,
    }
    return ownServer(info, postgresAccess(info), lifecycle)
  })
}

/**
 * Makes the user that the code under test connects as and returns its URL. It may create databases and roles and read
 * the log, and is no superuser, so that a superuser's right can't slip in as a silent requirement.
 */
async function createUser(superuserUrl: string): Promise<string> {
  const password = randomBytes(12).toString('hex')
  await withConnection(superuserUrl, async (sql) => {
    await sql.unsafe(`create role ${USER} login createdb createrole replication password '${password}'`)
    await sql.unsafe(`grant pg_monitor to ${USER}`)
  })
  const url = new URL(superuserUrl)
  url.username = USER
  url.password = password
  return url.href
}
