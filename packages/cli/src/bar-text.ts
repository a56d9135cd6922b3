import { styleText } from 'node:util'
import { formatCount, formatDuration, formatRows } from './format.ts'
import type { Progress } from './reporter.ts'

const WIDTH = 24

/**
 * One table's line on a terminal, what matters most first: a narrow terminal cuts its end off.
 * `progress` is `undefined` from the start of a sync to its first slice.
 */
export function barText(name: string, progress: Progress | undefined, hasColor: boolean): string {
  if (progress === undefined) return `${name}  connecting`
  const { rows, estimatedRows, rowsPerSecond, etaMs, phase } = progress
  const parts = [
    name,
    phase,
    ...estimatedRows === undefined || estimatedRows <= 0 ? [] : [gauge(rows / estimatedRows, hasColor)],
    formatRows(rows),
    ...rowsPerSecond === undefined ? [] : [`${formatCount(rowsPerSecond)} rows/s`],
    ...etaMs === undefined ? [] : [`ETA ${formatDuration(etaMs)}`],
  ]
  return parts.join('  ')
}

/** The size is an estimate, so a load in progress is never shown as complete. */
export function gauge(share: number, hasColor: boolean): string {
  const done = Math.min(0.99, share)
  const filled = '█'.repeat(Math.floor(done * WIDTH))
  const rest = '░'.repeat(WIDTH - filled.length)
  // The caller has decided about colour from the environment; styleText would decide again.
  const bar = hasColor ? styleText('cyan', filled, { validateStream: false }) : filled
  return `${bar}${rest} ${Math.floor(done * 100).toString().padStart(3)} %`
}
