/** What a StarbaseDB instance gives its plugins, and asks of them: the subset that is used, written down from its documented behaviour. */
export interface StarbasePlugin {
  readonly name: string
  /** Whether a request to it needs one of the instance's tokens. */
  readonly opts: { readonly requiresAuth: boolean }
  /** Of paths that need no token, where `requiresAuth` is false. */
  readonly pathPrefix?: string
  register(app: StarbaseApp): Promise<void>
  beforeQuery(query: StarbaseQuery): Promise<{ readonly sql: string; readonly params?: unknown[] }>
  /** Gives what the query's caller gets. */
  afterQuery(query: StarbaseAnswer): Promise<unknown>
}

/** Its router, a Hono. */
export interface StarbaseApp {
  all(path: string, handler: (context: StarbaseContext) => Promise<Response>): unknown
  delete(path: string, handler: (context: StarbaseContext) => Promise<Response>): unknown
}

export interface StarbaseContext {
  readonly req: { readonly raw: Request }
  get(key: 'config'): StarbaseConfiguration | undefined
  get(key: 'dataSource'): StarbaseDataSource | undefined
}

export interface StarbaseConfiguration {
  /** `admin` for who has the admin token; everybody else, also who has none, is a `client`. */
  readonly role: 'admin' | 'client'
}

export interface StarbaseDataSource {
  /** `internal` is the instance's own SQLite. */
  readonly source: 'internal' | 'external' | 'hyperdrive'
  readonly executionContext?: { waitUntil(work: Promise<unknown>): void } | undefined
}

export interface StarbaseQuery {
  readonly sql: string
  readonly params?: unknown[]
}

export interface StarbaseAnswer {
  readonly sql: string
  readonly result: unknown
  readonly isRaw: boolean
  readonly dataSource?: StarbaseDataSource
}
