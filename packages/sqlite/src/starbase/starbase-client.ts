import { makeSecret, statusError, TidemarkError, type PeerFetch, type PeerResponse, type RowValues, type Secret, type SecretInput, type Value } from '@tidemark/core/adapter'
import type { SqliteQuery, SqliteValue } from '../driver.ts'
import { sqliteError } from '../errors.ts'

export interface StarbaseClientOptions {
  /** Of the instance. */
  readonly url: URL
  readonly token: SecretInput
  readonly fetch: PeerFetch
  /** Ends requests; looked at with each. */
  readonly signal: () => AbortSignal
}

/** What can be bound: what JSON has and SQLite knows. */
export type BoundValue = Extract<SqliteValue, string | number | null>

export interface StarbaseQuery extends SqliteQuery {
  readonly parameters?: readonly BoundValue[] | undefined
}

/** How an instance says that it does not know a token, with a status of 400. */
const UNAUTHORIZED: ReadonlySet<string> = new Set(['Unauthorized request', 'Invalid Compact JWS'])

/** A Durable Object's error ends with SQLite's code. Nothing else of it is read, since it may quote a value. */
const SQLITE_CODE = /: (SQLITE_[A-Z]+)(?: \(extended: SQLITE_[A-Z_]+\))?$/

/** `POST /query` of a StarbaseDB instance. */
export class StarbaseClient {
  readonly #endpoint: string
  readonly #secret: Secret
  readonly #fetch: PeerFetch
  readonly #signal: () => AbortSignal

  constructor({ url, token, fetch, signal }: StarbaseClientOptions) {
    this.#endpoint = `${url.origin}${url.pathname.replace(/\/+$/, '')}/query${url.search}`
    this.#secret = makeSecret(token, 'token')
    this.#fetch = fetch
    this.#signal = signal
  }

  /**
   * Runs the statements in their order and gives the rows of each. What the instance calls a transaction is none: each is by itself, another's may come
   * between, and one that fails leaves those before it. Names of columns must be different, since rows come as objects.
   *
   * Errors: `PEER_*`, and `TARGET_*` for what its SQLite refuses.
   */
  async run(queries: readonly StarbaseQuery[]): Promise<readonly (readonly RowValues[])[]> {
    const transaction = queries.map(({ sql, parameters }) => (parameters === undefined || parameters.length === 0 ? { sql } : { sql, params: parameters }))
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${await this.#secret.reveal()}` }
    const { status, text } = await exchange(() => this.#fetch(this.#endpoint, { method: 'POST', headers, body: JSON.stringify({ transaction }), redirect: 'manual', signal: this.#signal() }))
    const answer = parse(text)
    if (status !== 200) throw failure(status, answer)
    const rows = rowsOf(answer)
    if (rows?.length !== queries.length) throw new TidemarkError('PEER_ANSWER_INVALID', 'The answer is not that of a StarbaseDB instance.')
    return rows
  }
}

async function exchange(work: () => Promise<PeerResponse>): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await work()
    return { status: response.status, text: await response.text() }
  } catch {
    throw new TidemarkError('PEER_UNREACHABLE', 'The peer could not be reached.')
  }
}

function failure(status: number, answer: unknown): TidemarkError {
  const message = property(answer, 'error')
  if (status === 400 && typeof message === 'string') {
    if (UNAUTHORIZED.has(message)) return new TidemarkError('PEER_AUTH_FAILED', 'The instance does not know the token.')
    // Whatever else went wrong before the statements were looked at, such as an object that could not be reached.
    return new TidemarkError('PEER_BUSY', 'The instance could not take the request.', { detail: '400' })
  }
  const code = typeof message === 'string' ? SQLITE_CODE.exec(message)?.[1] : undefined
  return code === undefined ? statusError(status) : sqliteError(Object.assign(new Error(code), { code }))
}

function rowsOf(answer: unknown): readonly (readonly RowValues[])[] | undefined {
  const result = property(answer, 'result')
  if (!Array.isArray(result) || !result.every((rows): rows is readonly object[] => Array.isArray(rows))) return undefined
  // Of texts and small numbers only: nothing else is asked for.
  return result.map((rows) => rows.map((row) => Object.values(row) as Value[]))
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined // any object may be asked
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
