import { hex } from '../util/hex.ts'

/** SHA-256 in lower-case hex. WebCrypto digests whole buffers only, which is why dumps have a digest for each chunk. */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}

/** The digest of all digests, in order, as bytes. */
export function rootDigest(digests: readonly string[]): Promise<string> {
  const all = new Uint8Array(digests.length * 32)
  digests.forEach((digest, index) => all.set(fromHex(digest), index * 32))
  return sha256Hex(all)
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) => Number.parseInt(text.slice(index * 2, index * 2 + 2), 16))
}
