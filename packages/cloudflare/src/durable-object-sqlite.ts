import type { ExportSource, ImportTarget } from '@tidemark/core/adapter'
import { batchImportTarget, sqliteExportSource } from '@tidemark/sqlite'
import { DurableObjectDriver } from './durable-object-driver.ts'
import { DurableObjectImportDriver } from './durable-object-import-driver.ts'
import type { DurableObjectStorage } from './durable-object-storage.ts'
import { IMPORT_LIMITS } from './host-limits.ts'

/**
 * A Durable Object's own SQLite database to export or to load into, given its `ctx`. It is exported as it was when the export began, while it is written to: triggers
 * keep the old image of each row that is touched meanwhile, in tables of the object, until the export is done. Nothing is held open between two steps.
 *
 * A row whose values are more than about a megabyte as SQL is more than a query may give here, and ends the export with `SOURCE_FAILED`.
 *
 * Loading switches foreign keys off while a slice is written and stored, for what the object writes in between too.
 */
export function durableObjectSqlite({ storage }: { readonly storage: DurableObjectStorage }): ExportSource & ImportTarget {
  const address = 'durable-object'
  const open = (): Promise<DurableObjectDriver> => Promise.resolve(new DurableObjectDriver(storage))
  return {
    ...sqliteExportSource({ address, open, openWriter: open, hidesFile: true, textForm: 'tagged' }),
    ...batchImportTarget({ ...IMPORT_LIMITS, address, open: () => Promise.resolve(new DurableObjectImportDriver(storage)) }),
  }
}
