import { TidemarkError, type TargetDialect } from '@tidemark/core/adapter'
import { sqliteTarget } from '@tidemark/sqlite'
import { filePath } from './file-path.ts'
import type { LibsqlConfig } from './libsql-config.ts'
import { openDriver } from './open-driver.ts'

/**
 * A libSQL database: a local file, an embedded replica or a server.
 *
 * Errors: `CONFIG_INVALID` for an address with credentials in it; on connecting `CONFIG_INVALID`, `SECRET_MISSING` and `TARGET_*`.
 */
export function libsqlTarget(config: LibsqlConfig): TargetDialect {
  return sqliteTarget({
    name: 'libsql',
    address: libsqlAddress(config),
    // SQLite's own defaults (sqlite.org, "Limits"): SQLITE_MAX_VARIABLE_NUMBER and SQLITE_MAX_LENGTH.
    capabilities: { maxParameters: 32_766, maxRowBytes: isLocal(config) ? 1_000_000_000 : 10_000_000, shared: true, synchronous: isLocal(config) },
    // As in `libsqlSource`.
    textForm: 'bytes',
    open: () => openDriver(config),
  })
}

/** `libsqlTarget` for a path instead of a URL. */
export function libsqlFileTarget(config: { readonly path: string; readonly busyTimeoutMs?: number | undefined }): TargetDialect {
  return libsqlTarget({ url: fileUrl(config.path), busyTimeoutMs: config.busyTimeoutMs })
}

export function fileUrl(path: string): string {
  return path === ':memory:' ? path : `file:${path.replace(/[%?#]/g, (char) => encodeURIComponent(char))}`
}

/** What may be shown: no token, no query. Errors: `CONFIG_INVALID`. */
export function libsqlAddress(config: LibsqlConfig): string {
  if ('client' in config) return `libsql:${config.client.protocol}`
  const path = filePath(config.url)
  if (path !== undefined) return `libsql:${path}`
  const match = /^(libsql|https?|wss?):\/\/([^/?#@]+)(\/[^?#]*)?$/i.exec(config.url)
  if (match === null) {
    throw new TidemarkError('CONFIG_INVALID', 'The address of the libSQL database can not be used.', {
      issues: [{ path: 'url', message: 'Must be file:path or scheme://host[:port][/path], with the token in authToken.' }],
    })
  }
  return config.url
}

function isLocal(config: LibsqlConfig): boolean {
  return 'client' in config ? config.client.protocol === 'file' : config.syncUrl === undefined && filePath(config.url) !== undefined
}
