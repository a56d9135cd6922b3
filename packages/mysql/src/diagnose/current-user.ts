import type { RunOptions } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'

/** As an account name in a statement. */
export async function currentUser(session: Session, options: RunOptions): Promise<string> {
  const [row] = await session.link.rows('SELECT CURRENT_USER()', options)
  const name = row?.[0] ?? ''
  const at = name.lastIndexOf('@')
  const quoted = (part: string): string => `'${part.replaceAll('\'', '\'\'')}'`
  return `${quoted(name.slice(0, at))}@${quoted(name.slice(at + 1))}`
}
