import { quote } from '@tidemark/sqlite'
import type { D1Database } from '../d1-database.ts'

/** Drops all that a case has made. */
export async function eraseD1(database: D1Database): Promise<void> {
  const rows = await database.prepare(`select type, name from sqlite_schema where type in ('table', 'view') and name not like 'sqlite!_%' escape '!' and name not like '!_cf!_%' escape '!'`).raw()
  // What belongs to a virtual table goes with it.
  const drops = rows.filter(([, name]) => !/_(?:data|idx|content|docsize|config)$/.test(String(name))).map(([type, name]) => `drop ${String(type)} ${quote(String(name))}`)
  if (drops.length > 0) await database.batch(['pragma defer_foreign_keys = on', ...drops].map((sql) => database.prepare(sql)))
}
