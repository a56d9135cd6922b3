import postgres from 'postgres'

/** The name of the ordinary user on every server that is started here. */
export const USER = 'tidemark'

/**
 * Makes the user that the code under test connects as: it may create databases and roles and read the log, and is no
 * superuser, so that a superuser's right can't slip in as a silent requirement.
 */
export async function createUser(superuserUrl: string, password: string): Promise<void> {
  await withConnection(superuserUrl, async (sql) => {
    await sql.unsafe(`create role ${USER} login createdb createrole replication password '${password}'`)
    await sql.unsafe(`grant pg_monitor to ${USER}`)
  })
}

/** Such as `18.4`, without a distribution's suffix. */
export async function readServerVersion(url: string): Promise<string> {
  return await withConnection(url, async (sql) => {
    const [row] = await sql<{ server_version: string }[]>`show server_version`
    return row?.server_version.split(' ')[0] ?? 'unknown'
  })
}

/** One connection for the time of one call. */
export async function withConnection<T>(url: string, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await use(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}
