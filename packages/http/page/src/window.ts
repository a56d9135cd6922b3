import type { Run } from './answers.ts'
import { h, valueOf, type Child } from './dom.ts'

export interface ChartWindow {
  readonly label: string
  readonly ms: number
}

const WINDOWS = [
  { label: '15 minutes', ms: 900_000 }, { label: 'hour', ms: 3_600_000 }, { label: '6 hours', ms: 21_600_000 }, { label: 'day', ms: 86_400_000 }, { label: 'week', ms: 604_800_000 },
] as const satisfies readonly ChartWindow[]

let chosen: ChartWindow | undefined

/** How far back the charts go. Until somebody has chosen, an hour, or less where all began later. */
export function chosenWindow(runs: readonly Run[]): ChartWindow {
  const [shortest, usual] = WINDOWS
  return chosen ?? (runs.every(({ created_at }) => Date.now() - Date.parse(created_at) < shortest.ms) ? shortest : usual)
}

export function windowChoice(runs: readonly Run[], onChange: () => void): Child {
  const current = chosenWindow(runs)
  return h('select', {
    'id': 'window', 'aria-label': 'Time that the charts show',
    'change': ({ currentTarget }) => {
      const ms = Number(valueOf(currentTarget))
      chosen = WINDOWS.find((window) => window.ms === ms)
      onChange()
    },
  }, WINDOWS.map(({ label, ms }) => h('option', { value: ms, selected: ms === current.ms }, `Last ${label}`)))
}
