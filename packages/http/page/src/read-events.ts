import { Problem, problemOf } from './api.ts'

export interface EventMessage {
  readonly event: string
  readonly data: string
  /** Where to go on behind it. */
  readonly id: string | undefined
}

export interface ReadEventsOptions {
  readonly signal: AbortSignal
  readonly onOpen: () => void
  readonly onMessage: (message: EventMessage) => void
}

/** Server-sent events until the handler ends them. Not `EventSource`, which does not tell why it was refused. Errors: `Problem`, also one that ends the feed; `TypeError` without a connection. */
export async function readEvents(path: string, { signal, onOpen, onMessage }: ReadEventsOptions): Promise<void> {
  const answer = await fetch(path, { headers: { accept: 'text/event-stream, application/problem+json' }, signal })
  if (!answer.ok || answer.body === null) throw await problemOf(answer)
  onOpen()
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const message = messageOf(block)
      if (message?.event === 'problem') throw new Problem(400, JSON.parse(message.data))
      if (message !== undefined) onMessage(message)
    }
  }
}

/** Comments and the time to wait are none. */
function messageOf(block: string): EventMessage | undefined {
  const fields = new Map(block.split('\n').map((line): [string, string] => {
    const colon = line.indexOf(': ')
    return [line.slice(0, colon), line.slice(colon + 2)]
  }))
  const [event, data] = [fields.get('event'), fields.get('data')]
  return event === undefined || data === undefined ? undefined : { event, data, id: fields.get('id') }
}
