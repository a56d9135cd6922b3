import type { ExportSource } from '@tidemark/core/adapter'
import { sqliteExportSource } from '@tidemark/sqlite'
import { DurableObjectDriver } from './durable-object-driver.ts'
import type { DurableObjectStorage } from './durable-object-storage.ts'

/**
 * A Durable Object's own SQLite database to export, given its `ctx`. It is exported as it was when the export began, while it is written to: triggers keep the old
 * image of each row that is touched meanwhile, in tables of the object, until the export is done. Nothing is held open between two steps.
 *
 * A row whose values are more than about a megabyte as SQL is more than a query may give here, and ends the export with `SOURCE_FAILED`.
 */
export function durableObjectSqlite({ storage }: { readonly storage: DurableObjectStorage }): ExportSource {
  const open = (): Promise<DurableObjectDriver> => Promise.resolve(new DurableObjectDriver(storage))
  return sqliteExportSource({ address: 'durable-object', open, openWriter: open, hidesFile: true, textForm: 'tagged' })
}
