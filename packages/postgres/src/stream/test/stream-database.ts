import { availablePostgresVersions, type PostgresVersion, type ServerAccess } from '@tidemark/test-servers'
import { postgresForTests } from '@tidemark/test-servers/vitest'
import postgres from 'postgres'

/** The majors to test on; `undefined` stands for whatever server the environment offers. */
export const versions: readonly (PostgresVersion | undefined)[] = await availablePostgresVersions().then((found) => (found.length === 0 ? [undefined] : found))

let databases = 0

/** A database of one test's own, on a server that all share. Slots are per server: they are named after it. */
export interface StreamDatabase extends AsyncDisposable {
  /** Of an ordinary user who may stream the log: a superuser's rights must not slip in as a silent requirement. */
  readonly url: string
  readonly slot: string
  /** As that user. */
  readonly sql: postgres.Sql
  readonly admin: postgres.Sql
  /** A column of the slot's row in `pg_replication_slots`, as text. */
  slotColumn(name: string): Promise<string | null | undefined>
}

export async function openStreamDatabase(version: PostgresVersion | undefined): Promise<StreamDatabase> {
  return makeDatabase(await postgresForTests({ version }))
}

export async function makeDatabase(server: ServerAccess): Promise<StreamDatabase> {
  databases += 1
  const slot = `slot_${process.pid}_${databases}`
  const database = await server.createDatabase()
  const sql = postgres(database.url, { max: 4, onnotice: () => undefined })
  const admin = postgres(database.superuserUrl, { max: 1, onnotice: () => undefined })
  return {
    url: database.url, slot, sql, admin,
    slotColumn: async (name) => {
      const [row] = await sql.unsafe(`SELECT ${name}::text AS value FROM pg_replication_slots WHERE slot_name = '${slot}'`)
      return row === undefined ? undefined : row['value'] as string | null
    },
    [Symbol.asyncDispose]: async () => {
      await dropSlots(admin)
      await Promise.all([sql.end({ timeout: 1 }), admin.end({ timeout: 1 })])
      await database[Symbol.asyncDispose]()
    },
  }
}

async function dropSlots(sql: postgres.Sql): Promise<void> {
  await sql`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database() AND active`
  for (;;) {
    const rows = await sql`SELECT active FROM pg_replication_slots WHERE database = current_database() AND active`
    if (rows.length === 0) break
    await sql`SELECT pg_sleep(0.02)`
  }
  await sql`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()`
}
