import { byId, h } from './dom.ts'

type Listener = () => void

/** What is under way: its button is off until it has ended. */
const busy = new Set<string>()
let onChange: Listener = () => undefined

/** Called when an action begins or has ended. */
export function onAction(listener: Listener): void {
  onChange = listener
}

export interface Action {
  readonly id: string
  readonly label: string
  /** What it acts on, for who hears the button and does not see its row. */
  readonly of: string
  readonly done: string
  readonly run: () => Promise<unknown>
  readonly kind?: 'danger' | 'main'
  /** Asked before it is done. */
  readonly ask?: string
}

export function button(action: Action): HTMLButtonElement {
  const { id, label, of, kind } = action
  // Not `disabled`: who has just pressed it with the keyboard would lose their place.
  return h('button', { id, 'type': 'button', 'class': kind, 'aria-label': `${label}: ${of}`, 'aria-disabled': busy.has(id) ? 'true' : undefined, 'click': () => void perform(action) }, label)
}

async function perform({ id, label, of, done, run, ask }: Action): Promise<void> {
  if (busy.has(id) || (ask !== undefined && !(await confirmed(`${label}: ${of}?`, ask)))) return
  busy.add(id)
  onChange()
  try {
    await run()
    say(`${of}: ${done}`)
  } catch (error) {
    say(`${of}: ${error instanceof Error ? error.message : 'failed'}`, 'bad')
  } finally {
    busy.delete(id)
    onChange()
  }
}

/** Read out, too. */
export function say(text: string, tone = ''): void {
  const notice = byId('notice')
  notice.className = tone
  notice.textContent = text
}

function confirmed(title: string, text: string): Promise<boolean> {
  const dialog = byId('ask') as HTMLDialogElement // as the page has it
  byId('ask-title').textContent = title
  byId('ask-text').textContent = text
  dialog.returnValue = 'no'
  dialog.showModal()
  byId('ask-no').focus()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  })
}
