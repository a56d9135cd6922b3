import { TidemarkError, type TableRef } from '@tidemark/core/adapter'

/** Identifiers have at most this many characters (manual, "Identifier Length Limits"). */
const MAX_IDENTIFIER_CHARACTERS = 64

// A name is quoted, by backquotes or as in standard SQL, with that quote doubled inside; or any characters but dot and quotes.
const PART = /(?:`((?:[^`]|``)+)`|"((?:[^"]|"")+)"|([^.`"]+))(?:\.|$)/suy

/**
 * Splits `users`, `app.users`, `` `odd.name`.`users` `` or `"odd.name"."users"`. Letter case is kept: whether it matters is the server's setting.
 *
 * Errors: `CONFIG_INVALID` on NUL, an empty part, an unclosed backquote, three parts or more than 64 characters.
 */
export function parseTableName(name: string, defaultSchema: string | undefined): TableRef {
  const parts = splitName(name)
  const [first, second] = parts
  if (first === undefined || parts.length > 2) throw invalidName('A table name has one or two parts: `table` or `database.table`.')
  for (const part of parts) checkPart(part)
  if (second !== undefined) return { schema: first, name: second }
  return defaultSchema === undefined ? { name: first } : { schema: defaultSchema, name: first }
}

function splitName(name: string): readonly string[] {
  const parts: string[] = []
  PART.lastIndex = 0
  while (PART.lastIndex < name.length) {
    const match = PART.exec(name)
    if (match === null) throw invalidName('A table name has an empty part or an unclosed quote.')
    parts.push(match[1]?.replaceAll('``', '`') ?? match[2]?.replaceAll('""', '"') ?? match[3] ?? '')
  }
  // The pattern also consumes a trailing dot; what follows it is an empty part.
  if (name.endsWith('.')) throw invalidName('A table name ends with a dot.')
  return parts
}

function checkPart(part: string): void {
  if (part.includes('\0')) throw invalidName('A table name contains a NUL character.')
  if (Array.from(part).length > MAX_IDENTIFIER_CHARACTERS) throw invalidName('A part of a table name has more than 64 characters.')
  if (part.endsWith(' ')) throw invalidName('A part of a table name ends with a space.')
}

function invalidName(message: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', message, { issues: [{ path: 'table', message }] })
}
