export interface SseMessage {
  readonly id: string | undefined
  readonly event: string
  readonly data: unknown
}

/** Messages of a feed as they come, by the rules of the format. Comments and `retry` are passed over. */
export async function* readSse(answer: Response): AsyncGenerator<SseMessage> {
  let text = ''
  for await (const piece of (answer.body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream())) {
    text += piece
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
      const data = fields.get('data')
      if (data !== undefined) yield { id: fields.get('id'), event: fields.get('event') ?? 'message', data: JSON.parse(data) }
    }
  }
}

/** The next messages of one kind. */
export async function take(messages: AsyncGenerator<SseMessage>, event: string, count: number): Promise<readonly SseMessage[]> {
  const taken: SseMessage[] = []
  while (taken.length < count) {
    const { done, value } = await messages.next()
    if (done === true) throw new Error(`The feed ended after ${taken.length} of ${count} messages.`)
    if (value.event === event) taken.push(value)
  }
  return taken
}
