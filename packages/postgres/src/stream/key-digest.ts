const PRIME = 0x01000193

/** A row's key as 64 bits: names it in an id, without telling what it is. FNV-1a, twice. */
export function keyDigest(key: readonly (string | null)[]): string {
  let low = 0x811c9dc5
  let high = 0x9747b28c
  for (const part of key) {
    const text = part === null ? '\0' : `${part.length}:${part}`
    for (let at = 0; at < text.length; at += 1) {
      const unit = text.charCodeAt(at)
      low = Math.imul(low ^ unit, PRIME)
      high = Math.imul(high ^ unit ^ (low >>> 15), PRIME)
    }
  }
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0')
}
