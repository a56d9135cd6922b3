/** Where a server came from, in the order in which they are tried. */
export type ServerOrigin = 'environment' | 'docker' | 'machine' | 'npm' | 'debian'

export type ServerEngine = 'postgres' | 'mariadb' | 'mysql'

/** Everything needed to use a server from any process: plain data, so that it can cross a process boundary. */
export interface ServerInfo {
  readonly engine: ServerEngine
  /** What the running server itself answered, such as `18.4` or `10.11.19-MariaDB-0+deb12u1-log`. */
  readonly version: string
  readonly origin: ServerOrigin
  /** The ordinary user's URL to the default database. */
  readonly baseUrl: string
  /** The superuser's URL to the default database. Equal to `baseUrl` for a server from the environment. */
  readonly superuserBaseUrl: string
}

/** A database of one test file. Disposing drops it, with its sessions and replication slots. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string
  readonly url: string
  readonly superuserUrl: string
}

/** A server that answers; how to reach it and how to get a database of one's own on it. */
export interface ServerAccess {
  readonly engine: ServerEngine
  readonly version: string
  /** The major version as a number: 18, 10, 5. */
  readonly major: number
  readonly origin: ServerOrigin
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  /** URL of the ordinary user, for `database` or the default database. */
  url(database?: string): string
  /** URL of the superuser: for settings, crashes and grants, which the code under test should not need. */
  superuserUrl(database?: string): string
  /** Creates an empty database; without a name, one that no other test file has. */
  createDatabase(name?: string): Promise<TestDatabase>
}

/** Starts, stops and removes what serves. */
export interface ServerLifecycle extends AsyncDisposable {
  /** `fast` ends sessions and writes a checkpoint; `kill` is a crash of every process of the server. */
  stop(mode: 'fast' | 'kill'): Promise<void>
  /** Same data, same port. Also starts a server that was stopped. */
  restart(mode: 'graceful' | 'kill'): Promise<void>
}

/** A server of one's own. Disposing stops it and removes its data. */
export interface TestServer extends ServerAccess, ServerLifecycle {
  readonly info: ServerInfo
}
