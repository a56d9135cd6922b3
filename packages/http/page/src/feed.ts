import { say } from './actions.ts'
import type { Change } from './answers.ts'
import { h, pill, table, type Child } from './dom.ts'
import { clock } from './format.ts'

interface Seen {
  readonly atMs: number
  readonly change: Change
}

const KEPT = 200
const TONES: Readonly<Record<string, 'good' | 'warn' | 'bad'>> = { insert: 'good', snapshot: 'good', update: 'warn', delete: 'bad', truncate: 'bad' }

/** Changes as they come, newest first. Rows are shown as text and kept nowhere else. */
export class Feed {
  readonly #onChange: () => void
  readonly #seen: Seen[] = []
  #source: EventSource | undefined
  #isDue = false
  total = 0

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  get isFollowing(): boolean {
    return this.#source !== undefined
  }

  follow(stream: string | undefined, tables: string): void {
    this.stop()
    const query = new URLSearchParams({ ...(stream === undefined ? {} : { stream }), ...(tables.trim() === '' ? {} : { tables: tables.trim() }) })
    const source = new EventSource(`changes?${query}`)
    this.#source = source
    source.addEventListener('change', ({ data }: MessageEvent<string>) => this.#add(JSON.parse(data) as Change)) // one line of changeToJson
    source.addEventListener('problem', ({ data }: MessageEvent<string>) => this.#fail(data))
    // A browser that was refused does not come back by itself; one that was cut off does, from where it was.
    source.addEventListener('error', () => { if (source.readyState === EventSource.CLOSED) this.#fail('{"detail":"The feed can not be followed. Look at the names of the tables."}') })
    this.#onChange()
  }

  stop(): void {
    this.#source?.close()
    this.#source = undefined
    this.#onChange()
  }

  view(): Child {
    if (this.#seen.length === 0) return h('p', { class: 'empty' }, this.isFollowing ? 'Waiting for a change…' : 'Not followed.')
    return table<Seen>('Live changes', [
      { title: 'Seen', kind: 'time', cell: ({ atMs }) => clock(atMs) },
      { title: 'Change', cell: ({ change: { op, table: name } }) => [pill(op, TONES[op]), ` ${name}`] },
      { title: 'Row', cell: ({ change: { key, after, before } }) => h('code', {}, shortened(JSON.stringify(after ?? before ?? key))) },
    ], this.#seen)
  }

  #add(change: Change): void {
    this.total += 1
    this.#seen.unshift({ atMs: Date.now(), change })
    this.#seen.length = Math.min(this.#seen.length, KEPT)
    if (this.#isDue) return
    this.#isDue = true
    // However many come, they are drawn once a frame.
    requestAnimationFrame(() => {
      this.#isDue = false
      this.#onChange()
    })
  }

  #fail(data: string): void {
    const { code = '', detail = '', remedy = '' } = JSON.parse(data) as { readonly code?: string; readonly detail?: string; readonly remedy?: string } // a problem
    this.stop()
    say(`Changes: ${code} ${detail} ${remedy}`, 'bad')
  }
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
