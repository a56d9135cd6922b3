import { existsSync } from 'node:fs'
import type { ExportSource } from '@tidemark/core'
import { nodeSqlite } from '@tidemark/node'
import { adapterFactory } from './adapter-factory.ts'
import { tlsOption, type OptionContext } from './connection-options.ts'
import type { Flags } from './flags.ts'
import type { SourceSettings } from './open-source.ts'
import { refusePlace, type PlaceRule } from './place-rule.ts'
import { locateSource, locateTarget } from './url.ts'

/** What is exported: a file of SQLite, or a database of a server. */
export type ExportDatabase =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'server'; readonly settings: SourceSettings }

const SERVER = /^(?:postgres(?:ql)?|mysql|mariadb|env):/i

/** A path, or the URL of a server; `undefined` after a fault. */
export function exportDatabaseOption(flags: Flags, context: OptionContext): ExportDatabase | undefined {
  const text = flags.get('database')
  const rule = { name: 'database', faults: context.faults }
  if (text === undefined || !SERVER.test(text)) {
    const path = fileOption(text, rule)
    return path === undefined ? undefined : { kind: 'file', path }
  }
  const located = locateSource(text, context.environment)
  return 'fault' in located ? refusePlace(rule, located.fault) : { kind: 'server', settings: { location: located.location, tls: tlsOption(flags, context.faults) } }
}

/** A file of SQLite that is there. */
export function fileOption(text: string | undefined, rule: PlaceRule): string | undefined {
  const path = newFileOption(text, rule)
  // What could not be opened for a moment is tried again for minutes; a name that was mistyped is told at once.
  return path === undefined || existsSync(path) ? path : refusePlace(rule, 'There is no such file.')
}

/** A file of SQLite that may still be made. */
export function newFileOption(text: string | undefined, rule: PlaceRule): string | undefined {
  if (text === undefined || text === '') return refusePlace(rule, 'Is missing: a SQLite file.')
  const located = locateTarget(text)
  if ('fault' in located) return refusePlace(rule, located.fault)
  return located.location.kind === 'file' ? located.location.path : refusePlace(rule, 'Must be a SQLite file.')
}

interface UrlConfig {
  readonly url: SourceSettings['location']['url']
  readonly tls?: SourceSettings['tls']
}

/** The adapter, loaded when it is needed. Errors: `CONFIG_INVALID`. */
export async function openExportSource(database: ExportDatabase): Promise<ExportSource> {
  if (database.kind === 'file') return nodeSqlite({ path: database.path })
  const { location, tls } = database.settings
  const config = { url: location.url, tls }
  switch (location.kind) {
    case 'postgres': return (await import('@tidemark/postgres')).postgresSource(config)
    case 'mysql': return adapterFactory<UrlConfig, ExportSource>(await import('@tidemark/mysql'), 'mysqlSource')(config)
    default: return location satisfies never
  }
}
