import { toBase64 } from './base64.ts'
import { fromBase64 } from './from-base64.ts'

/** RFC 4648 section 5, without padding: fit for a URL as it is. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** `undefined` for what is none. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  return /^[\w-]*$/.test(text) ? fromBase64(text.replaceAll('-', '+').replaceAll('_', '/')) : undefined
}
