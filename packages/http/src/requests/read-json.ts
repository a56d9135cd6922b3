import { TidemarkError } from '@tidemark/core'
import { readBody } from '@tidemark/core/adapter'

export interface BodyLimits {
  readonly maxBodyBytes: number
  /** A client that sends drop by drop is not waited for. */
  readonly bodyTimeoutMs: number
}

/**
 * The body, an object; `{}` for none. JSON and nothing else: what a form of another site's page could send is refused.
 *
 * Errors: `REQUEST_TOO_LARGE`, `REQUEST_INVALID`.
 */
export async function readJson(request: Request, limits: BodyLimits): Promise<unknown> {
  if (request.body === null || request.headers.get('content-length') === '0') return {}
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') {
    if (type === undefined && await inTime(isEmpty(request.body), limits.bodyTimeoutMs)) return {}
    throw new TidemarkError('REQUEST_INVALID', 'The body must be application/json.', { detail: 'content-type', remedy: 'Send it with `content-type: application/json`.' })
  }
  const text = await inTime(readBody(request, limits.maxBodyBytes), limits.bodyTimeoutMs)
  const value = parsed(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notAnObject()
  return value
}

/** `curl -X POST` sends neither a length nor a type, and hosts give that as a body all the same. Reads no further than the first byte. */
async function isEmpty(body: ReadableStream<Uint8Array>): Promise<boolean> {
  for await (const chunk of body) if (chunk.byteLength > 0) return false
  return true
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What the parser says quotes the body.
    throw notAnObject()
  }
}

function notAnObject(): TidemarkError {
  return new TidemarkError('REQUEST_INVALID', 'The body is not an object of JSON.', { detail: 'json', remedy: 'Send one.' })
}

async function inTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TidemarkError('REQUEST_INVALID', `The body did not come within ${timeoutMs} ms.`, { detail: 'timeout', remedy: 'Send it at once.' })), timeoutMs)
  })
  // Whichever comes last must not become an unhandled rejection.
  work.catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
