import type { PeerAnswer, PeerMessage } from '../../dialect/propagation-target.ts'
import type { AbortOptions } from '../../dialect/source.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import { toTidemarkError } from '../../errors/to-tidemark-error.ts'
import { silentLogger } from '../../log/logger.ts'
import { systemRuntime } from '../../runtime/system-runtime.ts'
import { encodeAnswer, encodeFailure } from '../wire/answer.ts'
import { decodeMessage } from '../wire/decode-message.ts'
import { HEADERS } from '../wire/sign-message.ts'
import { makeCheck } from './authorize.ts'
import { failureStatus } from './failure-status.ts'
import { readBody } from './read-body.ts'
import { checkReceiver, receiverSettings, type ReceiverOptions } from './receiver-options.ts'

/** The peer's side: a fetch handler for any path, and a function for those who have another transport. */
export interface Receiver extends AsyncDisposable {
  (request: Request): Promise<Response>
  /** Applies a message, without asking who sends it. Errors: `ORIGIN_TAKEN`, `TARGET_*`. */
  take(message: PeerMessage, options?: AbortOptions): Promise<PeerAnswer>
}

const MAX_MESSAGE_BYTES = 8_388_608

/**
 * Takes what propagators of other instances send and applies it to a database. Opens that when the first message comes.
 *
 * Errors: `CONFIG_INVALID`. The handler never rejects: what goes wrong is an answer with a status and a code.
 */
export function createReceiver(options: ReceiverOptions): Receiver {
  checkReceiver(options)
  const { maxMessageBytes = MAX_MESSAGE_BYTES, runtime = systemRuntime(), logger = silentLogger } = options
  const check = makeCheck(options.authorize)
  const connection = options.target.connect(receiverSettings(options))
  const handle = async (request: Request): Promise<string> => {
    if (request.method !== 'POST') throw new TidemarkError('REQUEST_INVALID', 'Messages come by POST.', { detail: 'method' })
    const origin = request.headers.get(HEADERS.origin) ?? ''
    const body = await readBody(request, maxMessageBytes)
    const isAllowed = await check({ headers: request.headers, origin, body, nowSeconds: Math.floor(runtime.now() / 1_000) })
    if (!isAllowed) throw new TidemarkError('REQUEST_UNAUTHORIZED', 'The request has no valid token or signature.')
    const message = decodeMessage(body)
    if (message.origin !== origin) throw new TidemarkError('REQUEST_UNAUTHORIZED', 'The message is of another origin than the request.')
    return encodeAnswer(await connection.take(message))
  }
  const receive = async (request: Request): Promise<Response> => {
    try {
      return answer(await handle(request), 200)
    } catch (cause) {
      const error = toTidemarkError(cause)
      logger.warn({ code: error.code }, error.message)
      return answer(encodeFailure(error), failureStatus(error))
    }
  }
  return Object.assign(receive, {
    take: (message: PeerMessage, takeOptions?: AbortOptions) => connection.take(message, takeOptions),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  })
}

function answer(body: string, status: number): Response {
  return new Response(body, { status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } })
}
