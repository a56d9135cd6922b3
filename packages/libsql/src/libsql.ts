import type { ExportSource, ImportTarget } from '@tidemark/core/adapter'
import { sqliteExportSource, sqliteImportTarget } from '@tidemark/sqlite'
import type { LibsqlClient } from './libsql-client.ts'
import type { LibsqlConfig } from './libsql-config.ts'
import { libsqlAddress } from './libsql-target.ts'
import { openDriver } from './open-driver.ts'

/**
 * A libSQL database, a local file or a server, to export or to load into. It is exported as it was when the export began, while it is written to: triggers keep
 * the old image of each row that is touched meanwhile, in tables of the database, until the export is done.
 *
 * Errors: those of opening a libSQL database, as `SOURCE_*` or `TARGET_*`.
 */
export function libsql(database: LibsqlClient | LibsqlConfig): ExportSource & ImportTarget {
  const config: LibsqlConfig = 'execute' in database ? { client: database } : database
  const address = libsqlAddress(config)
  const open = (): ReturnType<typeof openDriver> => openDriver(config, { mustExist: true })
  return {
    ...sqliteExportSource({ address, open, openWriter: open, textForm: 'bytes' }),
    ...sqliteImportTarget({ address, open: () => openDriver(config, { mustExist: false }) }),
  }
}
