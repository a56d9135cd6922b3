import { TidemarkError, type LiveBatches, type LiveOptions } from '@tidemark/core'
import type { AnyChangeStream } from '../capabilities.ts'
import { checkpointOf } from './feed-message.ts'

/** What a client may choose. */
export interface FeedSelection extends Pick<LiveOptions, 'tables' | 'ops' | 'source' | 'snapshot' | 'signal'> {
  /** Of the last message that the client has dealt with. */
  readonly lastEventId?: string | undefined
}

/** Batches for one client, which keeps its place itself. Errors: `REQUEST_INVALID` for an id that is none, and those of `live` once it is ready. */
export function openFeed(stream: AnyChangeStream, { lastEventId, ...selection }: FeedSelection): LiveBatches {
  return stream.live({ ...selection, from: lastEventId === undefined ? null : checkpointFrom(lastEventId) })
}

/** Resolves once no change is missed any more. Errors: as `openFeed`. */
export async function whenReady(batches: LiveBatches): Promise<void> {
  try {
    await batches.ready()
  } catch (error) {
    await batches.return()
    throw error instanceof TidemarkError && error.code === 'STATE_CORRUPT' ? notAnId() : error
  }
}

function checkpointFrom(id: string): string {
  const checkpoint = checkpointOf(id)
  if (checkpoint === undefined) throw notAnId()
  return checkpoint
}

function notAnId(): TidemarkError {
  return new TidemarkError('REQUEST_INVALID', 'The id is not one of a message of this feed.', { detail: 'last-event-id', remedy: 'Send the id as a message had it, or none.' })
}
