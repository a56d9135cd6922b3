import { errnoOf } from '../errors.ts'
import type { RunOptions } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'
import { quoteText } from '../quote.ts'
import { catalogueFilter } from '../table-fingerprint.ts'
import type { Relation } from './export-catalogue.ts'
import { hasRows } from './has-rows.ts'

const ACCESS_DENIED = 1227
const MYSQL_8 = 80_000

/**
 * Changes when a table is no longer the one that it was, though its definition reads the same: by RENAME, TRUNCATE, EXCHANGE PARTITION, a column that was
 * dropped and added again. A snapshot is of rows only: the server gives what the table that has the name now had at its instant, without an error.
 *
 * InnoDB's own numbers tell all but the column, which is told by the time of creation, to the second. The numbers are for users with PROCESS; without them
 * the time also tells RENAME, and rows that are gone tell TRUNCATE. Costs about 2 ms in a database of 2,000 tables.
 */
export async function tableStamp(session: Session, relation: Relation, options: RunOptions): Promise<string> {
  const { name } = relation
  const [[created = null] = []] = await session.link.rows(`SELECT create_time FROM information_schema.tables WHERE ${catalogueFilter({ schema: session.server.database, name })}`, options)
  const ids = await innodbIds(session, name, options)
  // MariaDB gives an error for a table that was emptied, and would keep its lock on one that was looked at.
  const filled = session.server.isMariaDb || ids !== undefined ? [] : await filledOf(session, relation, options)
  return JSON.stringify([created, ids, filled])
}

/** Of the table or of each of its partitions; `undefined`: not for this user to see. */
async function innodbIds({ link, server }: Session, table: string, options: RunOptions): Promise<readonly unknown[] | undefined> {
  // InnoDB names tables as the files they are in.
  const [schema, name] = [server.database ?? '', table].map((text) => `CAST(CONVERT(${quoteText(text)} USING filename) AS BINARY)`)
  const stored = `CONVERT(CONCAT(${schema ?? ''}, '/', ${name ?? ''}) USING utf8)`
  const view = !server.isMariaDb && server.versionNumber >= MYSQL_8 ? 'innodb_tables' : 'innodb_sys_tables'
  try {
    return await link.rows(`SELECT name, table_id FROM information_schema.${view} WHERE name = ${stored} OR LEFT(name, CHAR_LENGTH(${stored}) + 3) = CONCAT(${stored}, '#P#') ORDER BY name`, { ...options, expectedErrnos: [ACCESS_DENIED] })
  } catch (error) {
    if (errnoOf(error) === ACCESS_DENIED) return undefined
    throw error
  }
}

async function filledOf(session: Session, { name, isPartitioned }: Relation, options: RunOptions): Promise<readonly boolean[]> {
  if (!isPartitioned) return [await hasRows(session, { table: name }, options)]
  const partitions = await session.link.rows(`SELECT DISTINCT partition_name FROM information_schema.partitions WHERE ${catalogueFilter({ schema: session.server.database, name })} ORDER BY partition_name`, options)
  const filled: boolean[] = []
  for (const [partition] of partitions) filled.push(await hasRows(session, { table: name, partition: partition ?? '' }, options))
  return filled
}
