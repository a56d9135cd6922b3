import { equalBytes } from './equal-bytes.ts'

/** In a time that tells nothing of where they differ, nor of how long the secret is: their digests are compared. */
export async function equalText(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([textDigest(a), textDigest(b)])
  return equalBytes(first, second)
}

/** For who compares one text with several, by `equalBytes`. */
export async function textDigest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}
