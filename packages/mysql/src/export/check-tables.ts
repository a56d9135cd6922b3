import type { RunOptions } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'
import { quoteIdentifier } from '../quote.ts'
import { readExportCatalogue } from './export-catalogue.ts'

const FINE = /^(?:OK|Table is already up to date|The storage engine for the table doesn't support check)$/u

/** What `CHECK TABLE` says, a line for each finding; without a limit of time, for it reads every index. */
export async function checkTables(session: Session, options: RunOptions): Promise<readonly string[]> {
  const { relations } = await readExportCatalogue(session, options)
  const findings: string[] = []
  for (const { name, kind } of relations) {
    if (kind !== 'table') continue
    const rows = await session.link.rows(`CHECK TABLE ${quoteIdentifier(name)}`, options)
    for (const [, , type, text] of rows) {
      if (type === 'error' || type === 'warning' || !FINE.test(text ?? '')) findings.push(`${name}: ${text ?? ''}`)
    }
  }
  return findings
}
