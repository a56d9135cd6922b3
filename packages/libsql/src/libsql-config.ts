import type { SecretInput } from '@tidemark/core/adapter'
import type { LibsqlClient } from './libsql-client.ts'

/** A client of the application's own, never closed by us. Of a client of a file only the path is taken; others are used as they are. */
export interface LibsqlClientConfig {
  /** Made with `intMode: 'bigint'`: the other modes throw at integers beyond 2^53 or turn them into text. */
  readonly client: LibsqlClient
}

/** Where a database is; a client is made from it. */
export interface LibsqlUrlConfig {
  /** `file:path`, `:memory:`, `libsql:`, `https:`, `http:`, `wss:` or `ws:`. Without credentials: `authToken` has them. */
  readonly url: string
  /** Token of a server. Resolved at every connection, so that it may be rotated. */
  readonly authToken?: SecretInput | undefined
  /** Makes the file an embedded replica of this server: reads come from the file, writes go to the server. */
  readonly syncUrl?: string | undefined
  /** How long to wait for another writer of the same file, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined
}

export type LibsqlConfig = LibsqlClientConfig | LibsqlUrlConfig

export const DEFAULT_BUSY_TIMEOUT_MS = 5_000
