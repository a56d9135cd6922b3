import type { SourceDialect } from '@tidemark/core/adapter'
import { sqliteSource } from '@tidemark/sqlite'
import type { LibsqlConfig } from './libsql-config.ts'
import { libsqlAddress } from './libsql-target.ts'
import { openDriver } from './open-driver.ts'

/**
 * A libSQL database as a source: a local file, an embedded replica or a server. Nothing is written to it, but a file is
 * opened for writing, because `libsql` knows no other way; it must exist already.
 *
 * Texts are read as bytes: `libsql` cuts a text at its first NUL and aborts the process at one that is no UTF-8.
 * Errors: as `libsqlTarget`, with `SOURCE_*`.
 */
export function libsqlSource(config: LibsqlConfig): SourceDialect {
  return sqliteSource({ name: 'libsql', address: libsqlAddress(config), textForm: 'bytes', open: () => openDriver(config, { mustExist: true }) })
}
