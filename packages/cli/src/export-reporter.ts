import type { ExportStatus } from '@tidemark/core'
import cliProgress from 'cli-progress'
import { gauge } from './bar-text.ts'
import type { CommandContext } from './command.ts'
import { formatBytes, formatCount, formatDuration, formatRows } from './format.ts'
import { RateMeter } from './rate-meter.ts'

/** Tells how an export goes on. */
export interface ExportReporter {
  progress(status: ExportStatus): void
  end(status: ExportStatus): void
  /** Before somebody else writes. */
  stop(): void
}

/** A bar on a terminal, lines elsewhere, JSON or nothing where they are asked for. */
export function exportReporterFor({ flags, host, output }: CommandContext): ExportReporter {
  if (flags.has('json')) {
    return { progress: (status) => output.json({ type: 'progress', ...brief(status) }), end: (status) => output.json({ type: 'result', ...brief(status) }), stop: () => undefined }
  }
  if (flags.has('quiet')) return { progress: () => undefined, end: () => undefined, stop: () => undefined }
  const meter = new RateMeter()
  const end = (status: ExportStatus): void => {
    for (const note of status.notes) output.say(note)
    output.say(`${formatRows(status.totalRowsExported)}, ${formatBytes(status.totalBytesExported)} (${status.consistency}): ${status.key}`)
  }
  if (host.terminal === undefined) return { progress: (status) => output.say(progressText(status, meter, false)), end, stop: () => undefined }
  const bar = new cliProgress.SingleBar({ stream: host.terminal, clearOnComplete: true, hideCursor: true, gracefulExit: false, format: (_options, _params, { text }: { readonly text: string }) => output.clean(text) })
  bar.start(0, 0, { text: 'export  starting' })
  const stop = (): void => bar.stop()
  return {
    progress: (status) => bar.update(0, { text: progressText(status, meter, output.hasColor) }),
    end: (status) => {
      stop()
      end(status)
    },
    stop,
  }
}

function progressText(status: ExportStatus, meter: RateMeter, hasColor: boolean): string {
  const { totalRowsExported: rows, totalBytesExported: bytes, estimatedRows } = status
  meter.observe(Date.now(), rows)
  const rate = meter.rowsPerSecond
  const etaMs = estimatedRows === undefined || rate === undefined || rate <= 0 ? undefined : Math.max(0, estimatedRows - rows) * 1_000 / rate
  return [
    `export  ${status.status}`,
    ...estimatedRows === undefined || estimatedRows <= 0 ? [] : [gauge(rows / estimatedRows, hasColor)],
    formatRows(rows), formatBytes(bytes),
    ...rate === undefined ? [] : [`${formatCount(rate)} rows/s`],
    ...etaMs === undefined ? [] : [`ETA ${formatDuration(etaMs)}`],
  ].join('  ')
}

function brief({ exportId, status, key, totalRowsExported, totalBytesExported, estimatedRows, tablesTotal, tablesProcessed, consistency, notes }: ExportStatus): object {
  return { exportId, status, key, rows: totalRowsExported, bytes: totalBytesExported, estimatedRows: estimatedRows ?? null, tablesTotal, tablesProcessed, consistency, notes }
}
