/** A time for people and for programs of other makers. */
export function isoTime(atMs: number): string {
  return new Date(atMs).toISOString()
}

export function isoTimeOrNull(atMs: number | undefined): string | null {
  return atMs === undefined ? null : isoTime(atMs)
}
