import { TidemarkError } from '@tidemark/core/adapter'
import type { MysqlLink, RunOptions } from './mysql-link.ts'

/** What is known of a server after connecting. */
export interface ServerFacts {
  readonly version: string
  readonly isMariaDb: boolean
  /** `80036` for 8.0.36. */
  readonly versionNumber: number
  readonly database: string | undefined
  /** {@link PLACE} of the server that answered. */
  readonly place: string
  /**
   * Rows may be committed elsewhere and arrive here afterwards: a replica, a cluster node. Locks and transactions
   * of this server then say nothing about the writers.
   */
  readonly hasRemoteWriters: boolean
  /** {@link READ_ONLY} when the connection was opened. */
  readonly readOnly: string
  readonly autoincLockMode: string | undefined
  /** Behind a share-locking SELECT; `NOWAIT` where the server has it. */
  readonly lockClause: string
  /** Without `NOWAIT` a refused lock costs a second. */
  readonly waitsForLocks: boolean
}

/** Which server this is, as a cell: one address may lead to several. */
export const PLACE = "CONCAT_WS(':', @@hostname, @@port, @@server_id)"

/** Whether the server takes writes, as a cell: of a running server this changes at every failover. */
export const READ_ONLY = '@@global.read_only'

const OLDEST_MYSQL = 50_600
const OLDEST_MARIADB = 100_600
const FOR_SHARE_SINCE = 80_001

/** `SHOW VARIABLES` passes over names a server does not have; `SELECT @@name` would fail. */
const VARIABLES = ['version', 'read_only', 'innodb_read_only', 'wsrep_on', 'innodb_autoinc_lock_mode']

export async function readServerFacts(link: MysqlLink, options: RunOptions): Promise<ServerFacts> {
  const names = VARIABLES.map((name) => `'${name}'`).join(', ')
  const rows = await link.rows(`SHOW VARIABLES WHERE Variable_name IN (${names})`, options)
  const values = new Map(rows.map((row) => [row[0], row[1] ?? undefined]))
  const [[database = null, readOnly = null, place = null] = []] = await link.rows(`SELECT DATABASE(), ${READ_ONLY}, ${PLACE}`, options)
  const version = values.get('version') ?? ''
  const isMariaDb = version.includes('MariaDB')
  const versionNumber = numberOf(version)
  if (versionNumber < (isMariaDb ? OLDEST_MARIADB : OLDEST_MYSQL)) {
    throw new TidemarkError('SERVER_UNSUPPORTED', `The server is ${version}; MySQL 5.6 and MariaDB 10.6 are the oldest supported.`)
  }
  // MariaDB 12 knows more ways of being read-only than `ON`.
  const isOn = (name: string): boolean => !['OFF', '0'].includes(values.get(name) ?? 'OFF')
  const hasForShare = !isMariaDb && versionNumber >= FOR_SHARE_SINCE
  return {
    version,
    isMariaDb,
    versionNumber,
    database: database ?? undefined,
    place: place ?? '',
    hasRemoteWriters: isOn('read_only') || isOn('innodb_read_only') || isOn('wsrep_on'),
    readOnly: readOnly ?? '',
    autoincLockMode: values.get('innodb_autoinc_lock_mode'),
    lockClause: isMariaDb ? 'LOCK IN SHARE MODE NOWAIT' : hasForShare ? 'FOR SHARE NOWAIT' : 'LOCK IN SHARE MODE',
    waitsForLocks: !isMariaDb && !hasForShare,
  }
}

function numberOf(version: string): number {
  const [, major = '0', minor = '0', patch = '0'] = /(\d+)\.(\d+)\.(\d+)/u.exec(version) ?? []
  return Number(major) * 10_000 + Number(minor) * 100 + Number(patch)
}
