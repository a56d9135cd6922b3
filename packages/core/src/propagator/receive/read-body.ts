import { TidemarkError } from '../../errors/tidemark-error.ts'

/** The text of a request, read no further than it may be long. Errors: `REQUEST_TOO_LARGE`, `REQUEST_INVALID` for what is no UTF-8. */
export async function readBody(request: Request, maxBytes: number): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const reader = request.body?.getReader()
  if (reader === undefined) return ''
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const pieces: string[] = []
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done || value === undefined) break
    bytes += value.length
    if (bytes > maxBytes) {
      await reader.cancel()
      throw tooLarge(maxBytes)
    }
    pieces.push(readable(() => decoder.decode(value, { stream: true })))
  }
  return pieces.join('') + readable(() => decoder.decode())
}

/** Errors: `REQUEST_INVALID`. */
function readable(decode: () => string): string {
  try {
    return decode()
  } catch {
    throw new TidemarkError('REQUEST_INVALID', 'The request is no UTF-8.')
  }
}

function tooLarge(maxBytes: number): TidemarkError {
  return new TidemarkError('REQUEST_TOO_LARGE', `The request has more than ${maxBytes} bytes.`)
}
