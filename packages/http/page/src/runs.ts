import type { Run } from './answers.ts'
import { empty, h, pill, valueOf, type Child } from './dom.ts'
import { errorDetails } from './error-block.ts'
import { count, duration, time } from './format.ts'
import { table } from './table.ts'

const SHOWN = 100
const ALL = ''
let name = ALL

/** Chooses whose runs are shown. */
export function runsFilter(runs: readonly Run[], onChange: () => void): Child {
  const names = [...new Set(runs.map(({ config_name }) => config_name))].toSorted()
  if (names.length < 2) return undefined
  return h('select', {
    'id': 'runs-of', 'aria-label': 'Replication whose runs are shown',
    'change': ({ currentTarget }) => {
      name = valueOf(currentTarget)
      onChange()
    },
  }, [ALL, ...names].map((value) => h('option', { value, selected: value === name }, value === ALL ? 'All replications' : value)))
}

export function runsTable(runs: readonly Run[]): Child {
  const wanted = runs.filter(({ config_name }) => name === ALL || config_name === name)
  if (wanted.length === 0) return empty('There was no sync yet.')
  return table<Run>('Run history', [
    { title: 'When', kind: 'time', cell: ({ created_at }) => time(Date.parse(created_at)) },
    { title: 'Replication', kind: 'main', cell: ({ config_name }) => config_name },
    { title: 'Outcome', cell: ({ status, errorCode, error_message, remedy }) => [
      pill(status, status === 'success' ? 'good' : 'bad'),
      errorCode === null ? undefined : errorDetails({ code: errorCode, message: error_message ?? '', remedy: remedy ?? '' }),
    ] },
    { title: 'Rows', kind: 'number', cell: ({ records_processed }) => count(records_processed) },
    { title: 'Took', kind: 'number', cell: ({ sync_duration_ms }) => duration(sync_duration_ms) },
  ], wanted.slice(0, SHOWN), { key: ({ config_name, created_at, status, sync_duration_ms }) => `${created_at}-${config_name}-${status}-${sync_duration_ms}` })
}
