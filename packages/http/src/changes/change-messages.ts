import type { AnyChangeStream } from '../capabilities.ts'
import { batchMessages, type FeedMessage } from './feed-message.ts'
import { openFeed, whenReady, type FeedSelection } from './feed-selection.ts'

/**
 * The messages of `GET /changes` for another carrier, such as a WebSocket, which every host opens in its own way: send each as one text, and wait
 * until it is sent, so that a slow client is noticed. Ends with the signal. Errors: those of `ChangeStream.live`, `REQUEST_INVALID`.
 *
 * Asks nobody: authorize the client before.
 */
export async function* changeMessages(stream: AnyChangeStream, selection: FeedSelection = {}): AsyncGenerator<FeedMessage> {
  await using batches = openFeed(stream, selection)
  await whenReady(batches)
  for await (const batch of batches) yield* batchMessages(batch)
}
