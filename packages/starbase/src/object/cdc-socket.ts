import { TidemarkError, type ChangeBatch, type ChangeStream, type LiveBatches } from '@tidemark/core'
import { toTidemarkError } from '@tidemark/core/adapter'
import { cdcMessage, isWanted } from './cdc-message.ts'
import type { CdcSelection } from './cdc-selection.ts'

/** The end of a WebSocket that stays here. */
interface ServerSocket {
  accept(): void
  send(text: string): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'close' | 'error', listener: () => void): void
}

declare const WebSocketPair: new () => { readonly 0: unknown; readonly 1: ServerSocket }

/** Internal error, by RFC 6455; the reason is an error's code. */
const FAILED = 1011

/** A WebSocket that gets a message for each change. Ends with an error's code as the reason. The answer resolves once no change is missed any more. Errors: those of `live`, `REQUEST_INVALID`. */
export async function cdcSocket(stream: Pick<ChangeStream, 'live'>, selection: CdcSelection): Promise<Response> {
  const { 0: client, 1: server } = new WebSocketPair()
  const closed = new AbortController()
  const tables = selection.events === undefined ? undefined : [...new Set(selection.events.map(({ table }) => table))]
  const batches = stream.live({ tables, from: selection.lastEventId ?? null, signal: closed.signal })
  await whenReady(batches)
  server.accept()
  for (const end of ['close', 'error'] as const) server.addEventListener(end, () => closed.abort())
  void follow(batches, server, selection)
  // Of the runtime's own, which the types of the web do not have.
  return new Response(null, { status: 101, webSocket: client } as ResponseInit)
}

async function whenReady(batches: LiveBatches): Promise<void> {
  try {
    await batches.ready()
  } catch (error) {
    await batches.return()
    if (!(error instanceof TidemarkError) || error.code !== 'STATE_CORRUPT') throw error
    throw new TidemarkError('REQUEST_INVALID', 'The id is not one of a message of this feed.', { detail: 'lastEventId', remedy: 'Send the id as a message had it, or none.' })
  }
}

async function follow(batches: AsyncIterable<ChangeBatch>, socket: ServerSocket, { events }: CdcSelection): Promise<void> {
  try {
    for await (const batch of batches) for (const message of messagesOf(batch, events)) socket.send(message)
  } catch (cause) {
    socket.close(FAILED, toTidemarkError(cause).code)
  }
}

/** The last has the place to go on from; where nothing of a batch is wanted, a message has that alone. */
function messagesOf({ events, checkpoint }: ChangeBatch, wanted: CdcSelection['events']): readonly string[] {
  const found = events.filter((event) => isWanted(event, wanted))
  if (found.length === 0) return checkpoint === null ? [] : [`{"type":"cdc_checkpoint","id":${JSON.stringify(checkpoint)}}`]
  return found.map((event, index) => cdcMessage(event, index === found.length - 1 ? checkpoint : null))
}
