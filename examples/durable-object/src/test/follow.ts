import type { Example } from './start-example.ts'

export interface FollowedRow {
  readonly id: number
  readonly version: number
}

interface Message {
  readonly op: string
  readonly key: FollowedRow | null
  readonly before: FollowedRow | null
  readonly after: FollowedRow | null
}

/** A client of the feed that keeps rows by their key, and comes back with the last id that it got. */
export class Follower {
  readonly rows = new Map<number, number>()
  #lastId: string | undefined

  /** Applies messages until the answer breaks off, or the condition holds. */
  async follow(example: Example, until: (rows: ReadonlyMap<number, number>) => boolean): Promise<'cut' | 'reached'> {
    const headers = this.#lastId === undefined ? {} : { 'last-event-id': this.#lastId }
    const answer = await example.fetch('/data/changes?tables=replica&snapshot=initial', { headers })
    if (!answer.ok || answer.body === null) throw new Error(`${answer.status} ${await answer.text()}`)
    let text = ''
    try {
      for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
        const blocks = (text + piece).split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) this.#take(block)
        if (until(this.rows)) return 'reached'
      }
    } catch {
      // The process was killed.
    }
    return 'cut'
  }

  #take(block: string): void {
    const fields = new Map(block.split('\n').map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
    const data = fields.get('data')
    if (data !== undefined && fields.get('event') === 'change') this.#apply(JSON.parse(data) as Message) // as the route documents it
    this.#lastId = fields.get('id') ?? this.#lastId
  }

  #apply({ op, key, before, after }: Message): void {
    if (op === 'truncate') this.rows.clear()
    if (op === 'delete' && key !== null) this.rows.delete(key.id)
    if (before !== null && after !== null && before.id !== after.id) this.rows.delete(before.id)
    if (after !== null) this.rows.set(after.id, after.version)
  }
}
