import { TidemarkError } from '@tidemark/core/adapter'
import type { TableRef } from '@tidemark/core/adapter'

/** NAMEDATALEN - 1. The server cuts longer names silently, and then reads another table than the one named. */
const MAX_NAME_BYTES = 63

const encoder = new TextEncoder()

/**
 * `users`, `public.users`, `"odd.name"."Users"`. Unlike in SQL, an unquoted name keeps its letter case: what stands in
 * the catalogue is what is written here. Errors: `CONFIG_INVALID`.
 */
export function parseTableName(name: string, defaultSchema: string): TableRef {
  const parts = splitName(name)
  const [first, second] = parts
  if (first === undefined || parts.length > 2) throw invalid(name, 'is not of the form table or schema.table')
  for (const part of parts) checkPart(part, name)
  return second === undefined ? { schema: defaultSchema, name: first } : { schema: first, name: second }
}

function splitName(name: string): string[] {
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

function checkPart(part: string, whole: string): void {
  if (part.includes('\0')) throw invalid(whole.replaceAll('\0', '\\0'), 'contains a NUL character')
  if (encoder.encode(part).length > MAX_NAME_BYTES) throw invalid(whole, 'has a part longer than 63 bytes')
}

function invalid(name: string, fault: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', `The table name '${name}' ${fault}.`, { issues: [{ path: 'table', message: fault }] })
}
