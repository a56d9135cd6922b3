import { button } from './actions.ts'
import type { ErrorReport, Replication, Run } from './answers.ts'
import { act } from './api.ts'
import { h, pill, table, type Child } from './dom.ts'
import { clock, count, duration } from './format.ts'
import type { May } from './state.ts'

const TONES = { stopped: undefined, waiting: 'good', syncing: 'good', paused: 'warn', failed: 'bad' } as const

export function replicationsTable(replications: readonly Replication[], may: May): Child {
  if (replications.length === 0) return h('p', { class: 'empty' }, 'Nothing is replicated yet.')
  return table<Replication>('Replications', [
    { title: 'Name', cell: ({ name, source_config: { address }, source_table, target_table }) => [h('strong', {}, name), h('small', {}, `${address} ${source_table} → ${target_table}`)] },
    { title: 'State', cell: ({ activity }) => pill(activity, TONES[activity]) },
    { title: 'Lag', kind: 'number', cell: ({ lastSyncAtMs }) => (lastSyncAtMs === undefined ? '–' : duration(Date.now() - lastSyncAtMs)) },
    { title: 'Progress', cell: progressCell },
    { title: 'Next', kind: 'time', cell: ({ nextSyncAtMs }) => (nextSyncAtMs === undefined ? '–' : clock(nextSyncAtMs)) },
    { title: 'Last error', cell: ({ lastError }) => errorCell(lastError) },
    ...(may.operate ? [{ title: 'Actions', kind: 'actions' as const, cell: (one: Replication) => actions(one, may) }] : []),
  ], replications)
}

function progressCell({ name, progress, phase }: Replication): Child {
  if (progress === null) return { new: 'not begun', loading: 'half loaded', live: 'up to date' }[phase]
  const { rows, estimatedRows } = progress
  const isKnown = estimatedRows !== undefined && estimatedRows > 0
  return [
    h('progress', isKnown ? { 'aria-label': `${name}: ${progress.phase}`, 'max': estimatedRows, 'value': Math.min(rows, estimatedRows) } : { 'aria-label': `${name}: ${progress.phase}` }),
    h('small', {}, `${progress.phase}: ${count(rows)}${isKnown ? ` of about ${count(estimatedRows)}` : ''} rows`),
  ]
}

export function errorCell(error: ErrorReport | undefined): Child {
  return error === undefined ? '–' : [h('code', { class: 'bad' }, error.code), h('small', {}, error.message), h('small', {}, h('strong', {}, 'Way out: '), error.remedy)]
}

function actions({ name, is_active }: Replication, may: May): Child {
  const path = encodeURIComponent(name)
  return [
    button({ id: `sync-${name}`, label: 'Sync now', of: name, done: 'is synced.', run: () => act(`data-replication/sync/${path}`) }),
    is_active
      ? button({ id: `switch-${name}`, label: 'Stop', of: name, done: 'is off the schedule.', run: () => act(`data-replication/stop/${path}`) })
      : button({ id: `switch-${name}`, label: 'Start', of: name, done: 'is on the schedule.', run: () => act(`data-replication/start/${path}`) }),
    may.admin
      ? button({
        id: `remove-${name}`, label: 'Remove', of: name, kind: 'danger', done: 'is removed.',
        ask: 'Its checkpoint is forgotten. The copied table and the history stay.', run: () => act(`data-replication/configure/${path}`, 'DELETE'),
      })
      : undefined,
  ]
}

export function runsTable(runs: readonly Run[]): Child {
  if (runs.length === 0) return h('p', { class: 'empty' }, 'There was no sync yet.')
  return table<Run>('Run history', [
    { title: 'When', kind: 'time', cell: ({ created_at }) => h('time', { datetime: created_at, title: created_at }, clock(Date.parse(created_at))) },
    { title: 'Replication', cell: ({ config_name }) => config_name },
    { title: 'Outcome', cell: ({ status, errorCode, error_message, remedy }) => [
      pill(status, status === 'success' ? 'good' : 'bad'),
      errorCode === null ? undefined : errorCell({ code: errorCode, message: error_message ?? '', remedy: remedy ?? '' }),
    ] },
    { title: 'Rows', kind: 'number', cell: ({ records_processed }) => count(records_processed) },
    { title: 'Took', kind: 'number', cell: ({ sync_duration_ms }) => duration(sync_duration_ms) },
  ], runs.slice(0, 100))
}
