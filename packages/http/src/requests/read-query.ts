import { TidemarkError } from '@tidemark/core'

/** Parameters by name. Errors: `CONFIG_INVALID` for one that comes twice: which of them counts, no two programs agree on. */
export function readQuery(url: URL): Readonly<Record<string, string>> {
  const query: Record<string, string> = Object.create(null) as Record<string, string> // a name may be __proto__
  for (const [name, value] of url.searchParams) {
    if (query[name] !== undefined) throw new TidemarkError('CONFIG_INVALID', 'A parameter of the query comes twice.', { issues: [{ path: 'query', message: 'Each parameter may come once.' }] })
    query[name] = value
  }
  return query
}
