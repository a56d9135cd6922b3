import { createConnection, type Connection } from 'mysql2/promise'

/** One connection for the time of one call. */
export async function withConnection<T>(url: string, use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await createConnection({ uri: url, connectTimeout: 10_000 })
  try {
    return await use(connection)
  } finally {
    // A connection whose server has gone can't say goodbye; that must not hide why it went.
    await connection.end().catch(() => connection.destroy())
  }
}
