import type { ChangeEvent } from '../change/change-event.ts'
import { selects, type LogMessage, type MessageSelection } from '../change/log-message.ts'

/** Changes and the messages that are wanted, as they stand in the log. The very array where there are none. */
export function mergeMessages(events: readonly ChangeEvent[], messages: readonly LogMessage[] | undefined, selection: MessageSelection | undefined): readonly (ChangeEvent | LogMessage)[] {
  if (messages === undefined || selection === undefined) return events
  const wanted = messages.filter(({ prefix }) => selects(selection, prefix))
  if (wanted.length === 0 || events.length === 0) return wanted.length === 0 ? events : wanted
  const merged: (ChangeEvent | LogMessage)[] = []
  let at = 0
  for (const event of events) {
    for (let message = wanted[at]; message !== undefined && message.source.position < event.source.position; message = wanted[at]) {
      merged.push(message)
      at += 1
    }
    merged.push(event)
  }
  return [...merged, ...wanted.slice(at)]
}
