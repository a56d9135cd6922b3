import { globSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** Of the replica's log, as it is on disk: how many changes it has, and the number of the last that it had. */
export function keptChanges(folder: string): { readonly kept: number; readonly lastLogged: number } {
  for (const file of globSync(`${folder}/objects/**/*.sqlite`)) {
    using database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
    if (database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'replica'`).get() === undefined) continue
    const row = database.prepare('SELECT count(*) AS kept, max(seq) AS last FROM tidemark_log').get()
    return { kept: Number(row?.['kept']), lastLogged: Number(row?.['last']) }
  }
  throw new Error('There is no replica on disk.')
}
