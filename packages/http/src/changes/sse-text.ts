import type { ChangeBatch } from '@tidemark/core'
import { batchMessages, type FeedMessage } from './feed-message.ts'

interface Encoded {
  readonly checkpoint: string | null
  readonly schemas: ChangeBatch['schemas']
  readonly bytes: Uint8Array
}

const encoder = new TextEncoder()

/** Clients with one selection get the very same events: they are written out once for all of them. */
const encoded = new WeakMap<ChangeBatch['events'], Encoded>()

export function sseBatch(batch: ChangeBatch): Uint8Array {
  const { events, schemas, checkpoint } = batch
  const known = encoded.get(events)
  if (known !== undefined && known.checkpoint === checkpoint && known.schemas === schemas) return known.bytes
  const bytes = encoder.encode(batchMessages(batch).map(sseMessage).join(''))
  encoded.set(events, { checkpoint, schemas, bytes })
  return bytes
}

/** A field's value is one line of JSON or base64url, so that nothing in it can end it. */
export function sseMessage({ event, data, id }: Omit<FeedMessage, 'event'> & { readonly event: string }): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`
}
