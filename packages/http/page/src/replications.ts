import { button } from './actions.ts'
import type { Replication } from './answers.ts'
import { act } from './api.ts'
import { empty, h, pill, type Child } from './dom.ts'
import { errorBlock } from './error-block.ts'
import { count, duration, several, time } from './format.ts'
import type { May } from './state.ts'
import { NONE, table } from './table.ts'

const TONES = { stopped: undefined, waiting: 'good', syncing: 'busy', paused: 'warn', failed: 'bad' } as const
const PHASES: Readonly<Record<string, string>> = { load: 'First load', poll: 'New rows', reread: 'Comparing', sweep: 'Looking for deleted rows' }

export function replicationsTable(replications: readonly Replication[], may: May): Child {
  if (replications.length === 0) return empty('Nothing is replicated yet.')
  return table<Replication>('Replications', [
    { title: 'Name', kind: 'main', cell: ({ name, source_config: { address }, source_table, target_table }) => [h('strong', {}, name), h('small', {}, `${source_table} → ${target_table}`), h('small', {}, address)] },
    { title: 'State', cell: ({ activity }) => pill(activity, TONES[activity]) },
    { title: 'Lag', kind: 'number', cell: ({ lastSyncAtMs }) => (lastSyncAtMs === undefined ? 'never synced' : duration(Date.now() - lastSyncAtMs)) },
    { title: 'Progress', cell: progressCell },
    { title: 'Next sync', kind: 'time', cell: ({ nextSyncAtMs, activity }) => (nextSyncAtMs === undefined || activity === 'syncing' ? NONE : time(nextSyncAtMs, `in ${duration(Math.max(0, nextSyncAtMs - Date.now()))}`)) },
    { title: 'Last error', cell: ({ lastError }) => (lastError === undefined ? NONE : errorBlock(lastError)) },
    ...(may.operate ? [{ title: 'Actions', kind: 'actions' as const, cell: (one: Replication) => actions(one, may) }] : []),
  ], replications, { key: ({ name }) => name })
}

function progressCell({ name, progress, phase, loadedRows }: Replication): Child {
  if (progress === null) return { new: 'not begun', loading: `${count(loadedRows ?? 0)} rows loaded so far`, live: 'up to date' }[phase]
  const { rows, estimatedRows, durationMs } = progress
  const label = PHASES[progress.phase] ?? progress.phase
  const isKnown = estimatedRows !== undefined && estimatedRows > 0
  return [
    h('progress', { 'aria-label': `${name}: ${label}`, ...(isKnown ? { max: estimatedRows, value: Math.min(rows, estimatedRows) } : {}) }),
    h('small', {}, `${label}: ${isKnown ? `${count(rows)} of about ${several(estimatedRows, 'row')}` : several(rows, 'row')}`),
    durationMs > 0 && rows > 0 ? h('small', {}, `${count(Math.round(rows / durationMs * 1_000))} rows/s`) : undefined,
  ]
}

function actions({ name, is_active }: Replication, may: May): Child {
  const path = encodeURIComponent(name)
  return [
    button({ id: `sync-${name}`, label: 'Sync now', of: name, done: `${name} is synced.`, run: () => act(`data-replication/sync/${path}`) }),
    is_active
      ? button({ id: `switch-${name}`, label: 'Stop', of: name, done: `${name} is off the schedule.`, run: () => act(`data-replication/stop/${path}`) })
      : button({ id: `switch-${name}`, label: 'Start', of: name, done: `${name} is on the schedule.`, run: () => act(`data-replication/start/${path}`) }),
    may.admin
      ? button({
        id: `remove-${name}`, label: 'Remove', of: name, kind: 'danger', done: `${name} is removed.`,
        ask: 'Its checkpoint is forgotten. The copied table and the history stay.', run: () => act(`data-replication/configure/${path}`, 'DELETE'),
      })
      : undefined,
  ]
}
