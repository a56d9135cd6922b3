import { changeToJson, type ChangeBatch } from '@tidemark/core'
import { fromBase64Url, toBase64Url } from '@tidemark/core/adapter'

/** One message of a feed, whatever carries it. */
export interface FeedMessage {
  /** `change`: see `changeToJson`. `schema`: a table's columns from here on. `checkpoint`: nothing but a place to go on from. */
  readonly event: 'change' | 'schema' | 'checkpoint'
  /** One line of JSON. */
  readonly data: string
  /** Where to go on behind this message, once it and all before it are dealt with. Only where a transaction ends. */
  readonly id: string | undefined
}

/** A batch as messages; the last of them has the place to go on from. */
export function batchMessages({ events, schemas, checkpoint }: ChangeBatch): readonly FeedMessage[] {
  const messages: FeedMessage[] = [
    ...schemas.map((schema): FeedMessage => ({ event: 'schema', data: JSON.stringify(schema), id: undefined })),
    ...events.map((change): FeedMessage => ({ event: 'change', data: changeToJson(change), id: undefined })),
  ]
  if (checkpoint === null) return messages
  const last = messages.pop() ?? { event: 'checkpoint', data: '{}' }
  return [...messages, { ...last, id: eventId(checkpoint) }]
}

/** A checkpoint as it fits into a header. */
function eventId(checkpoint: string): string {
  return toBase64Url(new TextEncoder().encode(checkpoint))
}

/** `undefined` for what is none. */
export function checkpointOf(id: string): string | undefined {
  const bytes = fromBase64Url(id)
  return bytes === undefined || bytes.length === 0 ? undefined : new TextDecoder().decode(bytes)
}
