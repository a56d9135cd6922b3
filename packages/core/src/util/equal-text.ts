import { equalBytes } from './equal-bytes.ts'

/** In a time that tells nothing of where they differ, nor of how long the secret is: their digests are compared. */
export async function equalText(a: string, b: string): Promise<boolean> {
  const digest = async (text: string): Promise<Uint8Array> => new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  const [first, second] = await Promise.all([digest(a), digest(b)])
  return equalBytes(first, second)
}
