import type { ExportSource } from '@tidemark/core/adapter'
import { sqliteExportSource } from '@tidemark/sqlite'
import type { D1Database } from './d1-database.ts'
import { D1Driver } from './d1-driver.ts'

/**
 * A D1 database to export, given its binding: as it was when the export began, and without keeping anybody from reading or writing meanwhile. Triggers keep the
 * old image of each row that is touched until the export is done. Each page is a request, and its rows are billed.
 */
export function d1Sqlite(database: D1Database): ExportSource {
  const open = (): Promise<D1Driver> => Promise.resolve(new D1Driver(database))
  return sqliteExportSource({ address: 'd1', open, openWriter: open, hidesFile: true, textForm: 'tagged' })
}
