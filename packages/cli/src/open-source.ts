import type { SourceDialect } from '@tidemark/core'
import { adapterFactory } from './adapter-factory.ts'
import type { SourceLocation } from './url.ts'

export type SourceTls = 'verify' | 'disable' | 'insecure-no-verify' | { readonly ca: string }

export interface SourceSettings {
  readonly location: SourceLocation
  /** Absent: the adapter's default. */
  readonly tls: SourceTls | undefined
}

interface UrlConfig {
  readonly url: SourceLocation['url']
  readonly tls?: SourceTls | undefined
}

/** The adapter for a location, loaded when it is needed. Errors: `CONFIG_INVALID`. */
export async function openSource(settings: SourceSettings): Promise<SourceDialect> {
  const { location, tls } = settings
  const config = { url: location.url, tls }
  switch (location.kind) {
    case 'postgres':
      return (await import('@tidemark/postgres')).postgresSource(config)
    case 'mysql':
      return adapterFactory<UrlConfig, SourceDialect>(await import('@tidemark/mysql'), 'mysqlSource')(config)
    default:
      return location satisfies never
  }
}
