import { TidemarkError, type Download } from '@tidemark/core'
import { ANSWER_HEADERS } from '../answers/answer-headers.ts'
import { byteStream } from '../answers/byte-stream.ts'
import { problemAnswer } from '../answers/problem.ts'
import { parseRange, type Bounds } from './parse-range.ts'

export interface DownloadSource {
  readonly request: Request
  readonly open: (range?: Bounds) => Promise<Download>
}

/** A dump, or the part of it that the request's headers ask for. */
export async function downloadAnswer({ request, open }: DownloadSource): Promise<Response> {
  const whole = await open()
  const headers = headersOf(whole)
  const bounds = isRangeWanted(request, headers['etag']) ? parseRange(request.headers.get('range'), whole.bytes) : undefined
  const isKnown = (request.headers.get('if-none-match') ?? '').split(',').map((etag) => etag.trim().replace(/^W\//, '')).includes(headers['etag'])
  if (request.method !== 'HEAD' && bounds === undefined && !isKnown) {
    return new Response(byteStream(whole.body), { headers: { ...headers, 'content-length': String(whole.bytes) } })
  }
  await whole.body[Symbol.asyncDispose]()
  if (isKnown) return new Response(null, { status: 304, headers })
  if (bounds === 'none') return rangeRefused(whole)
  if (bounds === undefined) return new Response(null, { headers: { ...headers, 'content-length': String(whole.bytes) } })
  return partAnswer(bounds, { whole, headers, body: request.method === 'HEAD' ? undefined : await open(bounds) })
}

interface Part {
  readonly whole: Download
  readonly headers: Readonly<Record<string, string>>
  readonly body: Download | undefined
}

function partAnswer({ start, end }: Bounds, { whole, headers, body }: Part): Response {
  return new Response(body === undefined ? null : byteStream(body.body), {
    status: 206,
    headers: { ...headers, 'content-length': String(end - start), 'content-range': `bytes ${start}-${end - 1}/${whole.bytes}` },
  })
}

function headersOf({ contentType, etag, fileName }: Download): Readonly<Record<string, string>> & { readonly etag: string } {
  return {
    ...ANSWER_HEADERS,
    'accept-ranges': 'bytes',
    // Of the file's name only what no header and no file system can take amiss.
    'content-disposition': `attachment; filename="${fileName.replaceAll(/[^A-Za-z0-9_.-]+/g, '_')}"`,
    'content-type': contentType,
    'etag': `"${etag.replaceAll(/[^\x21\x23-\x7e]/g, '')}"`,
  }
}

/** With `If-Range`, only of the very object that the client has a part of. */
function isRangeWanted({ headers }: Request, etag: string): boolean {
  const condition = headers.get('if-range')
  return headers.has('range') && (condition === null || condition === etag)
}

function rangeRefused({ bytes }: Download): Response {
  return problemAnswer(new TidemarkError('REQUEST_INVALID', `There are ${bytes} bytes.`, { detail: 'range', remedy: 'Ask for a range within them.' }), { 'content-range': `bytes */${bytes}` })
}
