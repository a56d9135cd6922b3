import { button, perform, type Action } from './actions.ts'
import type { ExportJob, ImportJob } from './answers.ts'
import { act, begin } from './api.ts'
import { byId, empty, h, pill, valueOf, type Child } from './dom.ts'
import { errorBlock } from './error-block.ts'
import { shortId } from './exports.ts'
import { bytes, count, moment, several, time } from './format.ts'
import type { May } from './state.ts'
import { table } from './table.ts'

const TONES = { loading: 'busy', completed: 'good', failed: 'bad', stopped: 'warn' } as const

/** Loads a dump of the importer's storage, which need not be the exporter's: its id is typed, or chosen from those known here. */
export function importForm(may: May, exports: readonly ExportJob[]): Child {
  const known = exports.filter(({ status }) => status === 'completed')
  if (!may.admin) return undefined
  const id = h('input', { 'id': 'import-of', 'type': 'text', 'list': 'import-known', 'placeholder': 'id of a dump', 'aria-label': 'Id of the dump to import', 'autocomplete': 'off', 'spellcheck': 'false' })
  return [
    id,
    h('datalist', { id: 'import-known' }, known.map(({ exportId, format, totalRowsExported, createdAt }) => h('option', { value: exportId, label: `${moment(Date.parse(createdAt))}, ${format}, ${several(totalRowsExported, 'row')}` }))),
    h('button', { 'type': 'button', 'id': 'import-begin', 'class': 'main', 'aria-label': 'Import: dump', 'click': () => void perform(load(valueOf(byId('import-of')).trim(), 'import-begin', 'Import')) }, 'Import'),
  ]
}

export function importsTable(imports: readonly ImportJob[], may: May): Child {
  if (imports.length === 0) return empty('There are no imports.')
  return table<ImportJob>('Imports', [
    { title: 'Begun', kind: 'time', cell: ({ createdAt, importId }) => [time(Date.parse(createdAt)), h('small', { title: importId }, shortId(importId))] },
    { title: 'State', cell: ({ status }) => pill(status, TONES[status]) },
    { title: 'Progress', cell: progressCell },
    ...(may.admin ? [{ title: 'Actions', kind: 'actions' as const, cell: actions }] : []),
  ], imports, { key: ({ importId }) => importId })
}

function progressCell({ importId, status, totalRowsImported, totalRows, totalBytesImported, totalBytes, notes, problem }: ImportJob): Child {
  return [
    status === 'completed' ? undefined : h('progress', { 'aria-label': `Import ${shortId(importId)}`, 'max': Math.max(1, totalBytes), 'value': Math.min(totalBytesImported, totalBytes) }),
    h('span', {}, totalRows === undefined ? several(totalRowsImported, 'row') : `${count(totalRowsImported)} of ${several(totalRows, 'row')}`),
    h('small', {}, `${bytes(totalBytesImported)} of ${bytes(totalBytes)}`),
    notes.map((note) => h('small', {}, note)),
    problem === undefined ? undefined : errorBlock(problem),
  ]
}

/** One that is loading, and not here, goes on when it is asked for again: its process is gone, or each request is one step. */
function actions({ importId, status, isRunning }: ImportJob): Child {
  const name = `import ${shortId(importId)}`
  return [
    isRunning ? button({ id: `stop-import-${importId}`, label: 'Stop', of: name, done: `The ${name} is stopped.`, run: () => act(`import/stop/${importId}`) }) : undefined,
    status !== 'completed' && !isRunning ? button({ ...load(importId, `go-on-${importId}`, 'Go on'), of: name }) : undefined,
    isRunning ? undefined : button({
      id: `forget-${importId}`, label: 'Forget', of: name, kind: 'danger', done: `The ${name} is forgotten.`,
      ask: 'The dump can be loaded anew. The rows that it brought stay.', run: () => act(`import/${importId}`, 'DELETE'),
    }),
  ]
}

function load(exportId: string, id: string, label: string): Action {
  return { id, label, of: 'dump', done: 'The import has begun.', run: () => begin('import', { exportId }) }
}
