import type { Finding, TableSchema } from '@tidemark/core/adapter'
import { quoteTable } from '../quote.ts'
import type { CatalogueFacts } from './catalogue-facts.ts'

export function keyFindings(table: TableSchema, facts: CatalogueFacts): readonly Finding[] {
  if (table.kind === 'view') return []
  if (table.key.length === 0) {
    return [{
      id: 'key-missing', severity: 'error', message: 'The table has no primary key: rows can be copied whole but not followed.',
      sql: `ALTER TABLE ${quoteTable(table.ref)} ADD COLUMN tidemark_key BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY;`,
    }]
  }
  return table.key.flatMap((name): readonly Finding[] => {
    const collation = facts.collations.get(name)
    if (collation === undefined || collation.endsWith('_bin') || /_cs(?:_|$)/u.test(collation)) return []
    return [{
      id: 'key-collation-insensitive', severity: 'warning',
      message: `Key column ${name} is compared under ${collation}, where 'A' and 'a' are one key; the copy tells them apart, so a key re-inserted in another spelling leaves its old row until a reconcile.`,
    }]
  })
}
