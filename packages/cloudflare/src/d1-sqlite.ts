import type { ExportSource, ImportTarget } from '@tidemark/core/adapter'
import { batchImportTarget, sqliteExportSource } from '@tidemark/sqlite'
import type { D1Database } from './d1-database.ts'
import { D1Driver } from './d1-driver.ts'
import { D1ImportDriver } from './d1-import-driver.ts'
import { IMPORT_LIMITS, MAX_VALUE_BYTES } from './host-limits.ts'

/**
 * A D1 database to export or to load into, given its binding. It is exported as it was when the export began, and without keeping anybody from reading or writing
 * meanwhile: triggers keep the old image of each row that is touched until the export is done. Each page is a request, and its rows are billed.
 *
 * Loading writes each slice in one batch. D1 enforces foreign keys at the end of a batch: a row that refers to one of a later slice ends the import with `TARGET_CONSTRAINT`.
 */
export function d1Sqlite(database: D1Database): ExportSource & ImportTarget {
  const address = 'd1'
  const open = (): Promise<D1Driver> => Promise.resolve(new D1Driver(database))
  return {
    ...sqliteExportSource({ address, open, openWriter: open, hidesFile: true, textForm: 'tagged', maxValueBytes: MAX_VALUE_BYTES }),
    ...batchImportTarget({ ...IMPORT_LIMITS, address, open: () => Promise.resolve(new D1ImportDriver(database)) }),
  }
}
