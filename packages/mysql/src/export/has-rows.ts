import type { RunOptions } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'
import { quoteIdentifier } from '../quote.ts'

/** In a transaction this also keeps others from altering the table. */
export async function hasRows({ link }: Session, { table, partition }: { readonly table: string; readonly partition?: string | undefined }, options: RunOptions): Promise<boolean> {
  const of = partition === undefined ? '' : ` PARTITION (${quoteIdentifier(partition)})`
  return (await link.rows(`SELECT 1 FROM ${quoteIdentifier(table)}${of} LIMIT 1`, options)).length > 0
}
