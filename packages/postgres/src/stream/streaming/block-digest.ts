const PRIME = 0x01000193

/** 32 bits over bytes, a word at a time: any one word that is another gives another. Against disks and mistakes, not against anybody. */
export function blockDigest(bytes: Buffer, length: number): number {
  let digest = 0x811c9dc5 ^ length
  const words = length - (length % 4)
  for (let at = 0; at < words; at += 4) {
    digest = Math.imul(digest ^ bytes.readInt32LE(at), PRIME)
    digest ^= digest >>> 15
  }
  for (let at = words; at < length; at += 1) digest = Math.imul(digest ^ (bytes[at] ?? 0), PRIME)
  return digest
}
