/** All that a log could print of an error: message, code, cause and stack of the whole chain. */
export function everythingIn(value: unknown, depth = 0): string {
  if (typeof value !== 'object' || value === null || depth > 5) return String(value)
  const own = Object.getOwnPropertyNames(value).map((name) => everythingIn(Reflect.get(value, name), depth + 1))
  return own.join('\n')
}
