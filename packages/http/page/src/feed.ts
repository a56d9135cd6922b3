import type { ChangeSource } from './answers.ts'
import { byId, empty, h, pill, valueOf, type Child } from './dom.ts'
import { errorBlock } from './error-block.ts'
import { Follower, type Seen, type Selection, type Standing } from './follower.ts'
import { several, time } from './format.ts'
import { rowText } from './row-text.ts'
import { sourceName } from './sources.ts'
import { table } from './table.ts'

const TONES: Readonly<Record<string, 'good' | 'warn' | 'bad'>> = { insert: 'good', snapshot: 'good', update: 'warn', delete: 'bad', truncate: 'bad' }

/** The section of live changes: which ones, from where, and what has come. */
export class Feed {
  readonly #follower: Follower
  readonly #onChange: () => void
  #chosen = 0
  #tables = ''
  #from = ''
  #isDue = false

  constructor(onChange: () => void) {
    this.#onChange = onChange
    this.#follower = new Follower(() => this.#drawSoon())
  }

  view(sources: readonly ChangeSource[], tables: readonly string[]): Child {
    const { seen } = this.#follower
    return [
      h('div', { class: 'fields' }, this.#fields(sources, tables), this.#buttons(sources)),
      h('div', { id: 'feed-standing', role: 'status', class: 'standing' }, this.#standing(this.#follower.standing)),
      seen.length === 0 ? undefined : this.#list(seen),
    ]
  }

  #fields(sources: readonly ChangeSource[], tables: readonly string[]): Child {
    const [choice, names, from] = [
      h('select', { id: 'feed-source', change: ({ currentTarget }) => this.#choose(sources, Number(valueOf(currentTarget))) }, sources.map((source, index) => h('option', { value: index, selected: index === this.#chosen }, sourceName(source, sources)))),
      h('input', { id: 'feed-tables', type: 'text', list: 'feed-known', placeholder: 'all', autocomplete: 'off', spellcheck: 'false', change: ({ currentTarget }) => this.#narrow(sources, valueOf(currentTarget)) }),
      h('input', {
        id: 'feed-from', type: 'text', placeholder: 'now', autocomplete: 'off', spellcheck: 'false', disabled: this.#follower.isOn,
        input: ({ currentTarget }) => {
          this.#from = valueOf(currentTarget)
          this.#onChange()
        },
      }),
    ]
    return [
      h('label', {}, 'Stream', choice),
      h('label', {}, 'Tables', names, h('datalist', { id: 'feed-known' }, tables.map((name) => h('option', { value: name })))),
      h('label', {}, 'From position', from),
    ]
  }

  #buttons(sources: readonly ChangeSource[]): Child {
    const isOn = this.#follower.isOn
    return h('div', { class: 'buttons' },
      h('button', { id: 'feed-switch', type: 'button', class: isOn ? undefined : 'main', click: () => (isOn ? this.#pause() : this.#follow(sources)) }, isOn ? 'Pause' : this.#from === '' ? 'Follow' : 'Resume'),
      this.#follower.total === 0 ? undefined : h('button', { id: 'feed-clear', type: 'button', class: 'plain', click: () => this.#follower.clear() }, 'Clear'))
  }

  #standing(standing: Standing): Child {
    switch (standing.kind) {
      case 'idle': return 'Not followed. Rows are kept in this page only, until it is left.'
      case 'opening': return 'Opening…'
      case 'following': return 'Following: changes appear as they are committed.'
      case 'waiting': return ['Cut off. It goes on from where it was, as soon as the handler answers.', standing.error === undefined ? undefined : errorBlock(standing.error)]
      case 'paused': return this.#from === '' ? 'Paused before anything came: it would follow from now on.' : 'Paused. Nothing is missed: it resumes behind the last change that was seen; empty the position to follow from now on.'
      case 'failed': return errorBlock(standing.error)
      default: return standing satisfies never
    }
  }

  #list(seen: readonly Seen[]): Child {
    const { total } = this.#follower
    return [
      table<Seen>('Changes seen', [
        { title: 'Seen', kind: 'time', cell: ({ atMs }) => time(atMs) },
        { title: 'Change', cell: ({ change: { op, table: name } }) => [pill(op, TONES[op]), ' ', name] },
        { title: 'Row', cell: ({ change }) => h('code', {}, rowText(change)) },
      ], seen, { key: ({ number }) => String(number) }),
      h('p', { class: 'quiet' }, `${several(total, 'change')} seen${total > seen.length ? `, the newest ${seen.length} shown` : ''}`),
    ]
  }

  #choose(sources: readonly ChangeSource[], index: number): void {
    this.#chosen = index
    // A position is one of the stream that it came from.
    this.#setFrom('')
    if (this.#follower.isOn) this.#follow(sources)
    this.#onChange()
  }

  #narrow(sources: readonly ChangeSource[], tables: string): void {
    this.#tables = tables
    if (!this.#follower.isOn) return
    this.#from = this.#follower.position ?? ''
    this.#follow(sources)
  }

  #follow(sources: readonly ChangeSource[]): void {
    const source = sources[this.#chosen]
    if (source === undefined) return
    const selection: Selection = { stream: source.stream, source: source.name, tables: this.#tables.trim() }
    void this.#follower.follow(selection, this.#from.trim() === '' ? undefined : this.#from.trim())
  }

  #pause(): void {
    this.#setFrom(this.#follower.position ?? '')
    this.#follower.pause()
  }

  #setFrom(position: string): void {
    this.#from = position
    const field = byId('feed-from') as HTMLInputElement // as `#fields` makes it
    field.value = position
  }

  /** However many come, they are drawn once a frame. */
  #drawSoon(): void {
    if (this.#isDue) return
    this.#isDue = true
    requestAnimationFrame(() => {
      this.#isDue = false
      this.#onChange()
    })
  }
}

export function feedRefused(): Child {
  return empty('Rows are shown to who has the scope operate.')
}
