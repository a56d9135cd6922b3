import { say } from './actions.ts'
import type { ConfigurableSource, ErrorReport, Issue } from './answers.ts'
import { post, Problem } from './api.ts'
import { byId, h, type Child } from './dom.ts'
import { errorBlock } from './error-block.ts'

interface Field {
  /** As the body of the request has it. */
  readonly path: string
  readonly label: string
  readonly hint?: string
  readonly kind?: 'number' | 'password' | 'list' | readonly string[]
  readonly isRequired?: boolean
}

const TABLES: readonly Field[] = [
  { path: 'name', label: 'Name', hint: 'One that is there already gets these options, and goes on from its checkpoint.', isRequired: true },
  { path: 'sourceTable', label: 'Source table', isRequired: true },
  { path: 'targetTable', label: 'Target table', isRequired: true },
]
const ADDRESS: readonly Field[] = [
  { path: 'sourceConfig.connectionString', label: 'Connection string', hint: 'Or what follows.' },
  { path: 'sourceConfig.host', label: 'Host' },
  { path: 'sourceConfig.port', label: 'Port', kind: 'number' },
  { path: 'sourceConfig.user', label: 'User' },
  { path: 'sourceConfig.password', label: 'Password', kind: 'password', hint: 'Kept in memory only: after a restart it is to be configured again.' },
  { path: 'sourceConfig.database', label: 'Database' },
  { path: 'sourceConfig.defaultSchema', label: 'Schema' },
]
const USUAL: readonly Field[] = [
  { path: 'trackingColumn', label: 'Tracking column', hint: 'It grows with every change that is to be seen. Default: id.' },
  { path: 'syncIntervalMinutes', label: 'Minutes between syncs', kind: 'number', hint: 'Default: 60.' },
]
const MORE: readonly Field[] = [
  { path: 'schedule', label: 'Schedule', hint: 'A cron expression in UTC instead of minutes, or manual.' },
  { path: 'mode', label: 'Mode', kind: ['incremental', 'full'] },
  { path: 'key', label: 'Key columns', kind: 'list', hint: 'Parted by commas, where the table declares no key.' },
  { path: 'columns', label: 'Columns', kind: 'list', hint: 'Parted by commas. Default: all.' },
  { path: 'nullTracking', label: 'Rows without a tracking value', kind: ['error', 'include', 'exclude'] },
  { path: 'schemaPolicy', label: 'When the table changes', kind: ['stop', 'follow', 'rebuild'] },
  { path: 'isActive', label: 'On the schedule', kind: ['true', 'false'] },
]

type Control = HTMLInputElement | HTMLSelectElement

/** The button that opens the form; nothing where nothing can be configured over HTTP. */
export function configureButton(sources: readonly ConfigurableSource[], onDone: () => void): Child {
  if (sources.length === 0) return undefined
  return h('button', { id: 'configure', type: 'button', click: () => openForm(sources, onDone) }, 'Add replication')
}

function openForm(sources: readonly ConfigurableSource[], onDone: () => void): void {
  const dialog = byId('form') as HTMLDialogElement // as the page has it
  const address = h('div', { class: 'grid' }, ADDRESS.map(row))
  const choice = h('select', { id: 'field-sourceConfig.dialect', name: 'sourceConfig.dialect', change: () => { address.hidden = isFixed() } }, sources.map(({ name }) => h('option', { value: name }, name)))
  const isFixed = (): boolean => sources.find(({ name }) => name === choice.value)?.isFixed === true
  address.hidden = isFixed()
  const faults = h('div', { id: 'form-faults', role: 'alert' })
  const form = h('form', { novalidate: true },
    h('h2', { id: 'form-title' }, 'Add a replication'),
    faults,
    h('div', { class: 'grid' }, TABLES.map(row), rowOf({ path: 'sourceConfig.dialect', label: 'Source' }, choice)),
    address,
    h('div', { class: 'grid' }, USUAL.map(row)),
    h('details', {}, h('summary', {}, 'More options'), h('div', { class: 'grid' }, MORE.map(row))),
    h('p', { class: 'buttons' }, h('button', { type: 'button', click: () => dialog.close() }, 'Cancel'), h('button', { type: 'submit', class: 'main' }, 'Save')))
  form.addEventListener('submit', (event) => {
    // Sent from here, as JSON: the page's policy lets no form be sent by itself.
    event.preventDefault()
    void send({ dialog, form, faults, onDone })
  })
  dialog.replaceChildren(form)
  // What was typed, a password among it, goes with the form.
  dialog.addEventListener('close', () => dialog.replaceChildren(), { once: true })
  dialog.showModal()
  controlOf(form, 'name')?.focus()
}

function row(field: Field): HTMLElement {
  const { path, kind, isRequired } = field
  const id = `field-${path}`
  if (typeof kind === 'object') return rowOf(field, h('select', { id, name: path }, h('option', { value: '' }, 'default'), kind.map((value) => h('option', { value }, value))))
  const type = kind === 'password' ? 'password' : 'text'
  return rowOf(field, h('input', { id, type, 'name': path, 'aria-required': isRequired === true ? 'true' : undefined, 'autocomplete': kind === 'password' ? 'new-password' : 'off', 'inputmode': kind === 'number' ? 'numeric' : undefined, 'spellcheck': 'false' }))
}

function rowOf({ path, label, hint, isRequired }: Field, control: Control): HTMLElement {
  control.setAttribute('aria-describedby', `${control.id}-fault ${control.id}-hint`)
  return h('div', { class: 'field' },
    h('label', { for: control.id }, label, isRequired === true ? h('span', { class: 'quiet' }, ' needed') : undefined),
    control,
    h('small', { 'id': `${control.id}-fault`, 'class': 'bad', 'data-path': path }),
    h('small', { id: `${control.id}-hint` }, hint))
}

interface Sent {
  readonly dialog: HTMLDialogElement
  readonly form: HTMLFormElement
  readonly faults: HTMLElement
  readonly onDone: () => void
}

async function send({ dialog, form, faults, onDone }: Sent): Promise<void> {
  const body = bodyOf(form)
  try {
    await post('data-replication/configure', body)
    dialog.close()
    say(`${String(body['name'])} is configured.`)
    onDone()
  } catch (error) {
    const report = error instanceof Problem ? error.report : { code: 'FAILED', message: String(error), remedy: '' }
    showFaults(form, { faults, report, issues: error instanceof Problem ? error.issues : [] })
  }
}

/** What is empty is left out, and so is what is hidden. */
function bodyOf(form: HTMLFormElement): Record<string, unknown> {
  const fields = [...TABLES, ...ADDRESS, ...USUAL, ...MORE, { path: 'sourceConfig.dialect', label: '' }]
  const body: Record<string, unknown> = {}
  const sourceConfig: Record<string, unknown> = {}
  for (const { path, kind } of fields) {
    const control = controlOf(form, path)
    if (control === undefined || control.value === '' || control.closest('[hidden]') !== null) continue
    const name = path.replace('sourceConfig.', '')
    const place = name === path ? body : sourceConfig
    place[name] = valueOf(control.value, path, kind)
  }
  return { ...body, sourceConfig }
}

function valueOf(text: string, path: string, kind: Field['kind']): unknown {
  if (kind === 'list') return text.split(',').map((name) => name.trim())
  if (path === 'isActive') return text === 'true'
  // What is no number goes as it is, and is refused by who knows best.
  return kind === 'number' && text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text
}

/** Each fault at its field, and the first such field gets the focus; what has no field stands above, with its path. */
function showFaults(form: HTMLFormElement, { faults, report, issues }: { readonly faults: HTMLElement; readonly report: ErrorReport; readonly issues: readonly Issue[] }): void {
  for (const place of form.querySelectorAll('[data-path]')) place.replaceChildren()
  for (const control of form.querySelectorAll('[aria-invalid]')) control.removeAttribute('aria-invalid')
  const homeless: Issue[] = []
  let first: Control | undefined
  for (const issue of issues) {
    const path = issue.path.replace(/^body\./, '')
    const control = controlOf(form, path) ?? controlOf(form, path.replace(/\[\d+\].*$|\.\d+$/, ''))
    if (control === undefined || control.closest('[hidden]') !== null) {
      homeless.push(issue)
      continue
    }
    control.setAttribute('aria-invalid', 'true')
    control.closest('details')?.setAttribute('open', '')
    byId(`${control.id}-fault`).append(issue.message, ' ')
    first ??= control
  }
  // The message has every fault in it, and they are told where they belong.
  faults.replaceChildren(h('div', {}, errorBlock(issues.length === 0 ? report : { ...report, message: '' }), homeless.length === 0 ? undefined : h('ul', {}, homeless.map(({ path, message }) => h('li', {}, h('code', {}, path), ` ${message}`)))))
  first?.focus()
}

function controlOf(form: HTMLFormElement, path: string): Control | undefined {
  const control = form.elements.namedItem(path)
  return control instanceof HTMLInputElement || control instanceof HTMLSelectElement ? control : undefined
}
