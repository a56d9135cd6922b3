import { button } from './actions.ts'
import type { ExportJob } from './answers.ts'
import { act, beginExport } from './api.ts'
import { h, pill, table, type Child } from './dom.ts'
import { bytes, clock, count } from './format.ts'
import { errorCell } from './replications.ts'
import type { May } from './state.ts'

const TONES = { pending: undefined, processing: 'good', completed: 'good', failed: 'bad', cancelled: 'warn' } as const
const FORMATS = ['sql', 'csv', 'csv-guarded', 'ndjson']
let format = 'sql'

export function exportForm(may: May): Child {
  if (!may.operate) return undefined
  const choice = h('select', { 'id': 'export-format', 'aria-label': 'Format of the next export' }, FORMATS.map((name) => h('option', { value: name, selected: name === format }, name)))
  choice.addEventListener('change', () => { format = choice.value })
  return [choice, button({ id: 'export-begin', label: 'Export', of: 'database', kind: 'main', done: 'an export has begun.', run: () => beginExport(format) })]
}

export function exportsTable(exports: readonly ExportJob[], may: May): Child {
  if (exports.length === 0) return h('p', { class: 'empty' }, 'There are no exports.')
  return table<ExportJob>('Exports', [
    { title: 'Begun', kind: 'time', cell: ({ createdAt, exportId }) => [h('time', { datetime: createdAt, title: exportId }, clock(Date.parse(createdAt))), h('small', {}, shortId(exportId))] },
    { title: 'State', cell: ({ status, problem }) => [pill(status, TONES[status]), problem === undefined ? undefined : errorCell(problem)] },
    { title: 'Progress', cell: progressCell },
    { title: 'Actions', kind: 'actions', cell: (job) => actions(job, may) },
  ], exports)
}

function progressCell({ exportId, status, format: kind, totalRowsExported, totalBytesExported, estimatedRows, tablesProcessed, tablesTotal }: ExportJob): Child {
  const isRunning = status === 'pending' || status === 'processing'
  const isKnown = estimatedRows !== undefined && estimatedRows > 0
  return [
    isRunning ? h('progress', { 'aria-label': `Export ${shortId(exportId)}`, ...(isKnown ? { max: estimatedRows, value: Math.min(totalRowsExported, estimatedRows) } : {}) }) : undefined,
    h('small', {}, `${kind}: ${count(totalRowsExported)} rows, ${bytes(totalBytesExported)}, ${tablesProcessed} of ${tablesTotal} tables`),
  ]
}

function actions({ exportId, status }: ExportJob, may: May): Child {
  const name = `export ${shortId(exportId)}`
  const hasEnded = status === 'completed' || status === 'failed' || status === 'cancelled'
  return [
    may.operate && status === 'completed' ? h('a', { 'class': 'button', 'id': `download-${exportId}`, 'href': `export/download/${exportId}`, 'download': true, 'aria-label': `Download: ${name}` }, 'Download') : undefined,
    may.operate && !hasEnded ? button({ id: `cancel-${exportId}`, label: 'Cancel', of: name, done: 'is cancelled.', run: () => act(`export/cancel/${exportId}`) }) : undefined,
    may.admin && hasEnded
      ? button({ id: `delete-${exportId}`, label: 'Delete', of: name, kind: 'danger', done: 'is deleted.', ask: 'Its files are deleted.', run: () => act(`export/${exportId}`, 'DELETE') })
      : undefined,
  ]
}

function shortId(id: string): string {
  return id.replace('export_', '').slice(0, 8)
}
