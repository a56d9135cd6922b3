export interface Bounds {
  readonly start: number
  /** Not included. */
  readonly end: number
}

/**
 * What a `Range` header asks of so many bytes (RFC 9110, 14.2). `undefined`: all of it, as for a header that is no range, or several.
 * `none`: nothing that is there.
 */
export function parseRange(header: string | null, bytes: number): Bounds | 'none' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const length = Math.min(Number(last), bytes)
    return length === 0 ? 'none' : { start: bytes - length, end: bytes }
  }
  const start = Number(first)
  const end = last === '' ? bytes : Math.min(Number(last) + 1, bytes)
  if (last !== '' && Number(last) < start) return undefined
  return start >= bytes ? 'none' : { start, end }
}
