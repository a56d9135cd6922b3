import { TidemarkError, type LiveBatches } from '@tidemark/core'
import * as v from 'valibot'
import { checkAccess } from '../access/check-access.ts'
import { recheck } from '../access/recheck.ts'
import { ANSWER_HEADERS } from '../answers/answer-headers.ts'
import { problemAnswer } from '../answers/problem.ts'
import { jsonAnswer } from '../answers/json-answer.ts'
import type { AnyChangeStream } from '../capabilities.ts'
import { openFeed, whenReady } from '../changes/feed-selection.ts'
import { sseStream, type SseOptions } from '../changes/sse-stream.ts'
import type { HandlerContext } from '../handler-context.ts'
import { defineRoute, needed } from '../route.ts'
import { SocketFeed } from '../sockets/socket-feed.ts'
import type { ChangeSocket } from '../sockets/socket-host.ts'
import { chosenProtocol, withToken } from '../sockets/subprotocol.ts'
import { errorShape, nameShape } from './shapes.ts'

const OPS = ['insert', 'update', 'delete', 'truncate'] as const

/** Names parted by commas; one with a comma in it can't be asked for alone. */
const listShape = v.pipe(nameShape, v.transform((text) => text.split(',').map((name) => name.trim())), v.array(nameShape))

const changesQuery = v.strictObject({
  tables: v.optional(listShape),
  ops: v.optional(v.pipe(v.string(), v.transform((text) => text.split(',')), v.array(v.picklist(OPS, `Must be of ${OPS.join(', ')}.`)))),
  source: v.optional(nameShape),
  stream: v.optional(nameShape),
  snapshot: v.optional(v.picklist(['initial', 'none'])),
  lastEventId: v.optional(v.pipe(v.string(), v.maxLength(65_536))),
})

export const changesRoute = defineRoute({
  method: 'GET', path: '/changes', scope: 'operate', id: 'followChanges',
  summary: 'Changes as server-sent events, from now on or from behind `Last-Event-ID`',
  query: changesQuery,
  answers: { 200: { description: 'Messages `change`, `schema` and `checkpoint`; `problem` when it ends by an error.', contentType: 'text/event-stream' } },
  handle: async ({ request, query: { stream, lastEventId, ...selection }, context }) => {
    const revoked = new AbortController()
    const signal = AbortSignal.any([context.closing, request.signal, revoked.signal])
    const giveBack = claimFeed(context)
    const stopAsking = askAgain({ request, route: 'GET /changes', context }, (error) => revoked.abort(error))
    // Of an answer that nobody reads no more is heard.
    signal.addEventListener('abort', stopAsking, { once: true })
    const onEnd = (): void => {
      stopAsking()
      giveBack()
    }
    try {
      const batches = openFeed(streamOf(context, stream), { ...selection, signal, lastEventId: request.headers.get('last-event-id') ?? lastEventId })
      await whenReady(batches)
      return feedAnswer({ batches, heartbeatMs: context.heartbeatMs, revoked: revoked.signal, onEnd })
    } catch (error) {
      onEnd()
      throw error
    }
  },
})

export const socketRoute = defineRoute({
  method: 'GET', path: '/changes/socket', scope: 'operate', id: 'openChangeSocket',
  summary: 'The same messages over a WebSocket; a browser sends its token as a subprotocol',
  query: changesQuery,
  answers: { 101: { description: 'A WebSocket of the subprotocol `tidemark.v1`.' } },
  toAsk: withToken,
  handle: ({ request, query: { stream: name, ...selection }, context }) => {
    const upgrade = needed(context.webSockets, 'changes.webSockets')
    const stream = streamOf(context, name)
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return upgradeRequired()
    const protocol = chosenProtocol(request)
    return upgrade(request, { protocol, onOpen: (socket) => startSocketFeed(socket, (signal) => openFeed(stream, { ...selection, signal }), { request: withToken(request), route: 'GET /changes/socket', context }) })
  },
})

/** From here on a browser sees neither status nor body: what goes wrong is a message, and a code of the close. */
function startSocketFeed(socket: ChangeSocket, open: (signal: AbortSignal) => LiveBatches, asked: Asked): SocketFeed {
  const { context } = asked
  const { closing, heartbeatMs, maxUnansweredBytes } = context
  let giveBack = (): void => undefined
  const claimed = (signal: AbortSignal): LiveBatches => {
    giveBack = claimFeed(context)
    return open(signal)
  }
  const onEnd = (): void => {
    stopAsking()
    giveBack()
  }
  const feed = new SocketFeed({ socket, open: claimed, closing, heartbeatMs, maxUnansweredBytes, onEnd })
  const stopAsking = askAgain(asked, (error) => feed.refuse(error))
  context.waitUntil(feed.run())
  return feed
}

interface Asked {
  /** With its credentials where `authorize` looks for them. */
  readonly request: Request
  readonly route: string
  readonly context: HandlerContext
}

/** A feed lasts, and what its client may do can end meanwhile. Returns what ends the asking. */
function askAgain({ request: { url, headers }, route, context: { authorize, recheckMs } }: Asked, onRefused: (error: unknown) => void): () => void {
  // A host need not keep the request for as long as the answer lasts.
  const request = new Request(url, { headers: new Headers(headers) })
  return recheck(() => checkAccess(request, { scope: 'operate', route }, authorize), { everyMs: recheckMs, onRefused })
}

function upgradeRequired(): Response {
  return problemAnswer(new TidemarkError('REQUEST_INVALID', 'This route opens a WebSocket.', { detail: 'upgrade', remedy: 'Ask with `Upgrade: websocket`, or GET /changes.' }), { upgrade: 'websocket' })
}

/** Returns what gives the place back. Errors: `TOO_MANY_FEEDS`. */
function claimFeed({ feeds, maxFeeds }: HandlerContext): () => void {
  if (feeds.size >= maxFeeds) throw new TidemarkError('TOO_MANY_FEEDS', `${maxFeeds} clients follow changes.`)
  const feed = {}
  feeds.add(feed)
  return () => void feeds.delete(feed)
}

function feedAnswer(options: SseOptions): Response {
  return new Response(sseStream(options), {
    // Proxies of nginx's kind hold back what they do not know to be a stream.
    headers: { ...ANSWER_HEADERS, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
  })
}

/** Errors: `ROUTE_UNKNOWN` without any, `NAME_UNKNOWN`. */
function streamOf({ streams }: HandlerContext, name: string | undefined): AnyChangeStream {
  const [first] = streams.values()
  const only = needed(first, 'streams')
  if (name === undefined && streams.size === 1) return only
  const stream = name === undefined ? undefined : streams.get(name)
  if (stream === undefined) throw new TidemarkError('NAME_UNKNOWN', `\`stream\` must be one of: ${[...streams.keys()].join(', ')}.`)
  return stream
}

const lagShape = v.object({ events: v.optional(v.number()), bytes: v.optional(v.number()), ms: v.optional(v.number()) })

const sourceShape = v.object({
  stream: v.string(), name: v.string(), connector: v.string(), address: v.string(),
  state: v.picklist(['stopped', 'connecting', 'running', 'reconnecting', 'failed']),
  head: v.optional(v.string()), lastError: v.optional(errorShape), capabilities: v.record(v.string(), v.union([v.boolean(), v.string()])),
  subscribers: v.array(v.object({ id: v.string(), state: v.string(), durable: v.boolean(), position: v.string(), lag: v.optional(lagShape) })),
})

export const changeSourcesRoute = defineRoute({
  method: 'GET', path: '/changes/status', scope: 'read', id: 'changeSources', head: true,
  summary: 'Sources of changes as they stand, with their subscribers and how far these are behind',
  answers: { 200: { description: 'All sources of all streams.', schema: v.object({ sources: v.array(sourceShape) }) } },
  handle: async ({ context: { streams } }) => {
    if (streams.size === 0) needed(undefined, 'streams')
    const sources = await Promise.all([...streams].map(async ([stream, one]) => (await one.listSources()).map((source) => ({ stream, ...source }))))
    return jsonAnswer({ sources: sources.flat() })
  },
})
