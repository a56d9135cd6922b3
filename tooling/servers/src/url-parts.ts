/** What a client needs that takes no URL. */
export interface UrlParts {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

export function urlParts(url: string, defaultPort: number): UrlParts {
  const parsed = new URL(url)
  return {
    host: parsed.hostname,
    port: parsed.port === '' ? defaultPort : Number(parsed.port),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
  }
}

/** The same URL for another database, its parameters kept. */
export function withDatabase(url: string, database: string | undefined): string {
  if (database === undefined) return url
  const parsed = new URL(url)
  parsed.pathname = `/${encodeURIComponent(database)}`
  return parsed.href
}
