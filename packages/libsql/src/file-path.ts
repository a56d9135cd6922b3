/**
 * The path of a URL that names a local file, or `undefined` for a server's. As in `@libsql/client`: `file:data.db`,
 * `file:/var/data.db`, `file:///var/data.db`, `file::memory:` and `:memory:`.
 */
export function filePath(url: string): string | undefined {
  if (url === ':memory:') return url
  const match = /^file:(?:\/\/(?:localhost)?(?=\/))?(?!\/\/)([^?#]+)$/i.exec(url)
  return match?.[1] === undefined ? undefined : decodeURIComponent(match[1])
}
