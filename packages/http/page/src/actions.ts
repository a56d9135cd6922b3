import { Problem } from './api.ts'
import { errorBlock } from './error-block.ts'
import { byId, h, type Child } from './dom.ts'

type Listener = () => void

/** What is under way: its button is off until it has ended. */
const busy = new Set<string>()
const SHOWN_MS = 8_000
let onChange: Listener = () => undefined
let timer: ReturnType<typeof setTimeout> | undefined

/** Called when an action begins or has ended. */
export function onAction(listener: Listener): void {
  onChange = listener
}

export interface Action {
  readonly id: string
  readonly label: string
  /** What it acts on, for who hears the button and does not see its row. */
  readonly of: string
  /** Said when it is done. */
  readonly done: string
  readonly run: () => Promise<unknown>
  readonly kind?: 'danger' | 'main' | undefined
  /** Asked before it is done. */
  readonly ask?: string
}

export function button(action: Action): HTMLButtonElement {
  const { id, label, of, kind } = action
  const isBusy = busy.has(id)
  // Not `disabled`: who has just pressed it with the keyboard would lose their place.
  return h('button', { id, 'type': 'button', 'class': kind, 'aria-label': `${label}: ${of}`, 'aria-disabled': isBusy ? 'true' : undefined, 'aria-busy': isBusy ? 'true' : undefined, 'click': () => void perform(action) }, label)
}

export async function perform({ id, label, of, done, run, ask }: Action): Promise<boolean> {
  if (busy.has(id) || (ask !== undefined && !(await confirmed({ label, of, ask })))) return false
  busy.add(id)
  onChange()
  try {
    await run()
    say(done)
    return true
  } catch (error) {
    sayError(of, error)
    return false
  } finally {
    busy.delete(id)
    onChange()
  }
}

/** Read out, too. It goes by itself: what was done can be seen in the page. */
export function say(text: string): void {
  show('good', [h('p', {}, text)])
  timer = setTimeout(clear, SHOWN_MS)
}

/** Stays until it is put away. */
export function sayError(of: string, error: unknown): void {
  const report = error instanceof Problem ? error.report : { code: 'FAILED', message: String(error), remedy: '' }
  show('bad', [h('p', {}, h('strong', {}, of)), errorBlock(report)])
}

function show(tone: string, content: Child): void {
  clearTimeout(timer)
  byId('notice').replaceChildren(h('div', { class: `toast ${tone}` }, h('div', {}, content), h('button', { type: 'button', class: 'plain', 'aria-label': 'Dismiss', click: clear }, '✕')))
}

function clear(): void {
  byId('notice').replaceChildren()
}

function confirmed({ label, of, ask }: Pick<Action, 'label' | 'of'> & { readonly ask: string }): Promise<boolean> {
  const dialog = byId('ask') as HTMLDialogElement // as the page has it
  byId('ask-title').textContent = `${label}: ${of}?`
  byId('ask-text').textContent = ask
  byId('ask-yes').textContent = label
  dialog.returnValue = 'no'
  dialog.showModal()
  byId('ask-no').focus()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  })
}
