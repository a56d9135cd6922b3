import { equalBytes } from '../../util/equal-bytes.ts'
import { fromHex } from '../../util/from-hex.ts'
import { hex } from '../../util/hex.ts'
import { hmac } from '../../util/hmac.ts'

/** Names of the headers of a message. */
export const HEADERS = { origin: 'tidemark-origin', signature: 'tidemark-signature' } as const

/** How far two clocks may differ, in seconds; a message that is older than that can't be sent again by somebody who has overheard it. */
export const TOLERANCE_SECONDS = 300

/** `t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256 over the time, the origin and the body. */
export async function signMessage(secret: string, message: { readonly origin: string; readonly body: string; readonly atSeconds: number }): Promise<string> {
  return `t=${message.atSeconds},v1=${hex(await digest(secret, message))}`
}

export async function isSigned(secret: string, message: { readonly origin: string; readonly body: string; readonly signature: string; readonly nowSeconds: number }): Promise<boolean> {
  const { origin, body, signature, nowSeconds } = message
  const match = /^t=(\d{1,12}),v1=([\da-f]{64})$/.exec(signature)
  if (match === null) return false
  const atSeconds = Number(match[1])
  const given = fromHex(match[2] ?? '')
  const isRight = given !== undefined && equalBytes(await digest(secret, { origin, body, atSeconds }), given)
  return isRight && Math.abs(nowSeconds - atSeconds) <= TOLERANCE_SECONDS
}

function digest(secret: string, { origin, body, atSeconds }: { readonly origin: string; readonly body: string; readonly atSeconds: number }): Promise<Uint8Array> {
  return hmac(new TextEncoder().encode(secret), `${atSeconds}.${origin}.${body}`)
}
