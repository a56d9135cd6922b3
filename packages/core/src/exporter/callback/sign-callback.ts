import { TidemarkError } from '../../errors/tidemark-error.ts'
import { toBase64 } from '../../util/base64.ts'
import { fromBase64 } from '../../util/from-base64.ts'
import { hmac } from '../../util/hmac.ts'

export interface CallbackMessage {
  readonly id: string
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly body: string
}

const PREFIX = 'whsec_'

/** Headers as Standard Webhooks has them: an HMAC over id, time and body. Errors: `SECRET_MISSING` for a secret that is no key. */
export async function signCallback({ id, timestamp, body }: CallbackMessage, secret: string): Promise<Readonly<Record<string, string>>> {
  const key = fromBase64(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret)
  if (key === undefined || key.length < 24 || key.length > 64) {
    throw new TidemarkError('SECRET_MISSING', 'The callback\'s secret is no key.', { remedy: 'Give `whsec_` and 24 to 64 random bytes in base64.' })
  }
  const signature = toBase64(await hmac(key, `${id}.${timestamp}.${body}`))
  return { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` }
}
