import { TidemarkError, type TableRef } from '@tidemark/core/adapter'

/**
 * `users`, `main.users`, `"odd.name"`. A name without a schema is one of `main`. Letter case is kept as written, and
 * does not matter to SQLite. Errors: `CONFIG_INVALID`.
 */
export function parseTableName(name: string): TableRef {
  const [first, second, third] = splitName(name)
  if (first === undefined || third !== undefined) throw invalid(name, 'is not of the form table or schema.table')
  return second === undefined ? { schema: 'main', name: first } : { schema: first, name: second }
}

function splitName(name: string): string[] {
  if (name.includes('\0')) throw invalid(name.replaceAll('\0', '\\0'), 'contains a NUL character')
  const parts: string[] = []
  const part = /"((?:[^"]|"")+)"|([^".]+)/y
  for (let at = 0; at <= name.length; at = part.lastIndex + 1) {
    part.lastIndex = at
    const match = part.exec(name)
    if (match === null || ![undefined, '.'].includes(name[part.lastIndex])) throw invalid(name, 'is not of the form table or schema.table')
    parts.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
  }
  return parts
}

function invalid(name: string, fault: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', `The table name '${name}' ${fault}.`, { issues: [{ path: 'table', message: fault }] })
}
