import type { ChangeBatch } from '@tidemark/core'
import { batchMessages, type FeedMessage } from '../changes/feed-message.ts'

export interface SocketTexts {
  readonly texts: readonly string[]
  /** All of them together, in UTF-8. */
  readonly bytes: number
}

interface Encoded extends SocketTexts {
  readonly checkpoint: string | null
  readonly schemas: ChangeBatch['schemas']
}

const encoder = new TextEncoder()

/** Clients with one selection get the very same events: they are written out once for all of them. */
const encoded = new WeakMap<ChangeBatch['events'], Encoded>()

export function socketBatch(batch: ChangeBatch): SocketTexts {
  const { events, schemas, checkpoint } = batch
  const known = encoded.get(events)
  if (known !== undefined && known.checkpoint === checkpoint && known.schemas === schemas) return known
  const texts = batchMessages(batch).map(socketMessage)
  const one = { texts, bytes: texts.reduce((sum, text) => sum + encoder.encode(text).length, 0), checkpoint, schemas }
  encoded.set(events, one)
  return one
}

/** `data` is JSON already. */
export function socketMessage({ event, data, id }: Omit<FeedMessage, 'event'> & { readonly event: string }): string {
  return `{"event":"${event}"${id === undefined ? '' : `,"id":"${id}"`},"data":${data}}`
}
