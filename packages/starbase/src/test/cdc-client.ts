import type { Miniflare } from 'miniflare'

export interface CdcMessage {
  readonly type: string
  readonly payload?: { readonly action: string; readonly schema: string; readonly table: string; readonly data: unknown }
  readonly id?: string
}

type Socket = NonNullable<Awaited<ReturnType<Miniflare['dispatchFetch']>>['webSocket']>

/** Messages of `/cdc`, in the order in which they come. */
export class CdcClient implements AsyncDisposable {
  readonly #socket: Socket
  readonly #messages: CdcMessage[] = []
  #waiting: (() => void) | undefined
  /** Of the last message that had one. */
  lastEventId: string | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      this.#messages.push(JSON.parse(String(data)) as CdcMessage) // as the object writes them
      this.#waiting?.()
    })
    socket.accept()
  }

  static async open(runtime: Miniflare, name: string, { token = 'admin', lastEventId }: { readonly token?: string; readonly lastEventId?: string | undefined } = {}): Promise<CdcClient> {
    const query = new URLSearchParams({ token, ...(lastEventId === undefined ? {} : { lastEventId }) })
    const answer = await runtime.dispatchFetch(`https://${name}.example/cdc?${query}`, { headers: { upgrade: 'websocket' } })
    if (answer.webSocket === null) throw new Error(`${answer.status} ${await answer.text()}`)
    return new CdcClient(answer.webSocket)
  }

  /** The next changes; messages that only have a place are left out. */
  async take(count: number): Promise<readonly CdcMessage['payload'][]> {
    const taken: CdcMessage['payload'][] = []
    while (taken.length < count) {
      const { payload, id } = await this.#next()
      this.lastEventId = id ?? this.lastEventId
      if (payload !== undefined) taken.push(payload)
    }
    return taken
  }

  async #next(): Promise<CdcMessage> {
    for (;;) {
      const message = this.#messages.shift()
      if (message !== undefined) return message
      await new Promise<void>((resolve) => { this.#waiting = resolve })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => { this.#socket.addEventListener('close', () => resolve()) })
    this.#socket.close()
    await closed
  }
}
