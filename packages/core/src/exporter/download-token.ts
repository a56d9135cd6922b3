import * as v from 'valibot'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { fromBase64Url, toBase64Url } from '../util/base64-url.ts'
import { equalBytes } from '../util/equal-bytes.ts'
import { hmac } from '../util/hmac.ts'

/** What a token lets its bearer read. */
export interface DownloadClaim {
  readonly id: string
  /** An object of the dump; absent: the dump itself, or its manifest. */
  readonly path?: string | undefined
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number
}

/** A key is used for one purpose only; this sets the purpose apart where somebody uses it for more. */
const PURPOSE = 'tidemark-download.v1.'

const MIN_SECRET_BYTES = 32

const claimSchema = v.strictObject({ id: v.string(), path: v.optional(v.string()), expiresAtMs: v.number() })

/** `<claim>.<HMAC-SHA256>`, both in base64url. Errors: `SECRET_MISSING` for a secret that is too short. */
export async function signDownload(claim: DownloadClaim, secret: string): Promise<string> {
  const body = toBase64Url(new TextEncoder().encode(JSON.stringify(claim)))
  return `${body}.${toBase64Url(await hmac(keyOf(secret), PURPOSE + body))}`
}

/** Errors: `DOWNLOAD_REFUSED` for a token that is not ours, was altered or has expired: which of them is not said. */
export async function openToken(token: string, { secret, nowMs }: { readonly secret: string; readonly nowMs: number }): Promise<DownloadClaim> {
  const [body = '', signature = '', ...rest] = token.split('.')
  const expected = await hmac(keyOf(secret), PURPOSE + body)
  const given = fromBase64Url(signature)
  if (rest.length > 0 || given === undefined || !equalBytes(given, expected)) throw refused()
  const claim = v.parse(claimSchema, JSON.parse(new TextDecoder().decode(fromBase64Url(body))))
  if (claim.expiresAtMs <= nowMs) throw refused()
  return claim
}

function keyOf(secret: string): Uint8Array {
  const key = new TextEncoder().encode(secret)
  if (key.length >= MIN_SECRET_BYTES) return key
  throw new TidemarkError('SECRET_MISSING', 'The secret `downloadSecret` is too short.', { remedy: `Give at least ${MIN_SECRET_BYTES} random characters.` })
}

function refused(): TidemarkError {
  return new TidemarkError('DOWNLOAD_REFUSED', 'The download token is not valid.')
}
