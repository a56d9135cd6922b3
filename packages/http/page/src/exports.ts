import { button, sayError } from './actions.ts'
import type { ExportJob, Manifest } from './answers.ts'
import { act, begin, read } from './api.ts'
import { empty, h, pill, valueOf, type Child } from './dom.ts'
import { errorBlock } from './error-block.ts'
import { bytes, count, several, time } from './format.ts'
import type { May } from './state.ts'
import { table } from './table.ts'

const TONES = { pending: undefined, processing: 'busy', completed: 'good', failed: 'bad', cancelled: 'warn' } as const
const FORMATS = ['sql', 'csv', 'csv-guarded', 'ndjson']
let format = 'sql'

/** Of dumps that are several files, once somebody asked for them. */
const manifests = new Map<string, Manifest>()

export function exportForm(may: May): Child {
  if (!may.operate) return undefined
  const choice = h('select', { 'id': 'export-format', 'aria-label': 'Format of the next export', 'change': ({ currentTarget }) => { format = valueOf(currentTarget) } }, FORMATS.map((name) => h('option', { value: name, selected: name === format }, name)))
  return [choice, button({ id: 'export-begin', label: 'Export', of: 'database', kind: 'main', done: 'An export has begun.', run: () => begin('export/dump', { format }) })]
}

export function exportsTable(exports: readonly ExportJob[], options: { readonly may: May; readonly onChange: () => void }): Child {
  if (exports.length === 0) return empty('There are no exports.')
  return table<ExportJob>('Exports', [
    { title: 'Begun', kind: 'time', cell: ({ createdAt, exportId }) => [time(Date.parse(createdAt)), h('small', { title: exportId }, shortId(exportId))] },
    { title: 'State', cell: ({ status }) => pill(status, TONES[status]) },
    { title: 'Progress', cell: progressCell },
    ...(options.may.operate ? [{ title: 'Actions', kind: 'actions' as const, cell: (job: ExportJob) => actions(job, options) }] : []),
  ], exports, { key: ({ exportId }) => exportId })
}

function progressCell({ exportId, status, format: kind, totalRowsExported, totalBytesExported, estimatedRows, tablesProcessed, tablesTotal, notes, problem }: ExportJob): Child {
  const isRunning = status === 'pending' || status === 'processing'
  const isKnown = estimatedRows !== undefined && estimatedRows > 0
  const manifest = manifests.get(exportId)
  return [
    isRunning ? h('progress', { 'aria-label': `Export ${shortId(exportId)}`, ...(isKnown ? { max: estimatedRows, value: Math.min(totalRowsExported, estimatedRows) } : {}) }) : undefined,
    h('span', {}, `${kind} · ${several(totalRowsExported, 'row')} · ${bytes(totalBytesExported)}`),
    tablesTotal === 0 ? undefined : h('small', {}, `${tablesProcessed} of ${several(tablesTotal, 'table')}${isRunning && isKnown ? `, about ${count(estimatedRows)} rows in all` : ''}`),
    notes.map((note) => h('small', {}, note)),
    problem === undefined ? undefined : errorBlock(problem),
    manifest === undefined ? undefined : h('ul', { class: 'files' }, manifest.objects.map(({ path, bytes: size }) => h('li', {}, fileLink(exportId, path), ` ${bytes(size)}`))),
  ]
}

function fileLink(exportId: string, path: string): Child {
  return h('a', { 'href': `export/download/${exportId}?${new URLSearchParams({ path })}`, 'download': true, 'aria-label': `Download: ${path}` }, path)
}

function actions(job: ExportJob, { may, onChange }: { readonly may: May; readonly onChange: () => void }): Child {
  const { exportId, status } = job
  const name = nameOf(exportId)
  const hasEnded = status === 'completed' || status === 'failed' || status === 'cancelled'
  return [
    status === 'completed' ? download(job, onChange) : undefined,
    hasEnded ? undefined : button({ id: `cancel-${exportId}`, label: 'Cancel', of: name, done: `The ${name} is cancelled.`, run: () => act(`export/cancel/${exportId}`) }),
    may.admin && hasEnded
      ? button({ id: `delete-${exportId}`, label: 'Delete', of: name, kind: 'danger', done: `The ${name} is deleted.`, ask: 'Its files are deleted.', run: () => act(`export/${exportId}`, 'DELETE') })
      : undefined,
  ]
}

/** One file, or the list of several, which the manifest has. */
function download({ exportId, format: kind, layout }: ExportJob, onChange: () => void): Child {
  const name = nameOf(exportId)
  if (kind === 'sql' && layout === 'single') return h('a', { 'class': 'button', 'id': `download-${exportId}`, 'href': `export/download/${exportId}`, 'download': true, 'aria-label': `Download: ${name}` }, 'Download')
  const isOpen = manifests.has(exportId)
  const toggle = async (): Promise<void> => {
    if (!manifests.delete(exportId)) manifests.set(exportId, await read<Manifest>(`export/download/${exportId}`))
    onChange()
  }
  return h('button', { 'type': 'button', 'id': `download-${exportId}`, 'aria-expanded': String(isOpen), 'aria-label': `Files: ${name}`, 'click': () => void toggle().catch((error: unknown) => sayError(name, error)) }, 'Files')
}

function nameOf(id: string): string {
  return `export ${shortId(id)}`
}

/** Ids begin with their time: those of one minute differ at the end. */
export function shortId(id: string): string {
  return id.slice(-8)
}
