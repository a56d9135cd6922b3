import { TidemarkError } from '@tidemark/core/adapter'
import { parseTableName } from '../source/parse-table-name.ts'

/**
 * The plain name of a table of the main database, as users write it: `users`, `main.users`, `"odd.name"`.
 * Errors: `CONFIG_INVALID` for what is no name, `TABLE_NOT_CAPTURABLE` for a table of another database.
 */
export function mainTable(name: string): string {
  const ref = parseTableName(name)
  if ((ref.schema ?? 'main').toLowerCase() === 'main') return ref.name
  throw new TidemarkError('TABLE_NOT_CAPTURABLE', `The table '${name}' is not one of the main database.`, { remedy: 'Capture tables of `main`; open an attached database for itself.' })
}
