import { randomBytes } from 'node:crypto'

/** The users of a server that is started here. */
export interface MysqlUsers {
  readonly password: string
  readonly adminPassword: string
}

/**
 * What the code under test may do: everything with tables, and read the log. No SUPER, no FILE, no GRANT OPTION, so
 * that such a right can't slip in as a silent requirement.
 */
const RIGHTS = [
  'select, insert, update, delete, create, drop, reload, process, references, index, alter, create temporary tables',
  'lock tables, execute, replication slave, replication client, create view, show view, create routine, alter routine',
  'event, trigger',
].join(', ')

export function newMysqlUsers(): MysqlUsers {
  return { password: randomBytes(12).toString('hex'), adminPassword: randomBytes(12).toString('hex') }
}

/** The statements that make the users; the first keeps them out of the log that tests read. */
export function userStatements(users: MysqlUsers): string[] {
  return [
    'set sql_log_bin = 0',
    `create user 'admin'@'%' identified by '${users.adminPassword}'`,
    `grant all privileges on *.* to 'admin'@'%' with grant option`,
    `create user 'tidemark'@'%' identified by '${users.password}'`,
    `grant ${RIGHTS} on *.* to 'tidemark'@'%'`,
  ]
}

export function mysqlUrls(users: MysqlUsers, host: string, port: number): { baseUrl: string; superuserBaseUrl: string } {
  return {
    baseUrl: `mysql://tidemark:${users.password}@${host}:${port}/`,
    superuserBaseUrl: `mysql://admin:${users.adminPassword}@${host}:${port}/`,
  }
}
