export interface SseMessage {
  readonly event: string
  readonly data: unknown
}

/** Messages of a feed, without comments. Leaving the loop ends the request. */
export async function* readSse({ body }: Response): AsyncGenerator<SseMessage> {
  if (body === null) return
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const blocks = (text + decoder.decode(value, { stream: true })).split('\n\n')
      text = blocks.pop() ?? ''
      yield* blocks.flatMap(toMessage)
    }
  } finally {
    await reader.cancel()
  }
}

function toMessage(block: string): readonly SseMessage[] {
  const fields = new Map(block.split('\n').map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
  const data = fields.get('data')
  return data === undefined ? [] : [{ event: fields.get('event') ?? 'message', data: JSON.parse(data) }]
}
