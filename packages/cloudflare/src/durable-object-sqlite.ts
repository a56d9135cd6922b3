import type { ExportSource, ImportTarget } from '@tidemark/core/adapter'
import { batchImportTarget, sqliteExportSource } from '@tidemark/sqlite'
import { DurableObjectDriver } from './durable-object-driver.ts'
import { DurableObjectImportDriver } from './durable-object-import-driver.ts'
import type { DurableObjectStorage } from './durable-object-storage.ts'
import { IMPORT_LIMITS, MAX_VALUE_BYTES } from './host-limits.ts'

/**
 * A Durable Object's own SQLite database to export or to load into, given its `ctx`. It is exported as it was when the export began, while it is written to: triggers
 * keep the old image of each row that is touched meanwhile, in tables of the object, until the export is done. Nothing is held open between two steps.
 *
 * Loading switches foreign keys off while a slice is written and stored, for what the object writes in between too.
 */
export function durableObjectSqlite({ storage }: { readonly storage: DurableObjectStorage }): ExportSource & ImportTarget {
  const address = 'durable-object'
  const open = (): Promise<DurableObjectDriver> => Promise.resolve(new DurableObjectDriver(storage))
  return {
    ...sqliteExportSource({ address, open, openWriter: open, hidesFile: true, textForm: 'tagged', maxValueBytes: MAX_VALUE_BYTES }),
    ...batchImportTarget({ ...IMPORT_LIMITS, address, open: () => Promise.resolve(new DurableObjectImportDriver(storage)) }),
  }
}
