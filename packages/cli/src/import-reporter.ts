import type { ImportStatus } from '@tidemark/core'
import cliProgress from 'cli-progress'
import { gauge } from './bar-text.ts'
import type { CommandContext } from './command.ts'
import { formatBytes, formatCount, formatDuration, formatRows } from './format.ts'
import { RateMeter } from './rate-meter.ts'

/** Tells how an import goes on. */
export interface ImportReporter {
  progress(status: ImportStatus): void
  /** Before somebody else writes. */
  stop(): void
}

/** A bar on a terminal, lines elsewhere, JSON or nothing where they are asked for. */
export function importReporterFor({ flags, host, output }: CommandContext): ImportReporter {
  if (flags.has('json')) return { progress: (status) => output.json({ type: status.status === 'completed' ? 'result' : 'progress', ...status, totalRows: status.totalRows ?? null }), stop: () => undefined }
  if (flags.has('quiet')) return { progress: () => undefined, stop: () => undefined }
  const [bytesMeter, rowsMeter] = [new RateMeter(), new RateMeter()]
  const text = (status: ImportStatus, hasColor: boolean): string => progressText(status, { bytesMeter, rowsMeter, hasColor })
  const end = (status: ImportStatus): void => {
    for (const note of status.notes) output.say(note)
    output.say(`${formatRows(status.rows)}, ${formatBytes(status.bytes)} loaded`)
  }
  if (host.terminal === undefined) return { progress: (status) => (status.status === 'completed' ? end(status) : output.say(text(status, false))), stop: () => undefined }
  const bar = new cliProgress.SingleBar({ stream: host.terminal, clearOnComplete: true, hideCursor: true, gracefulExit: false, format: (_options, _params, { line }: { readonly line: string }) => output.clean(line) })
  bar.start(0, 0, { line: 'import  starting' })
  return {
    progress: (status) => {
      if (status.status !== 'completed') return bar.update(0, { line: text(status, output.hasColor) })
      bar.stop()
      end(status)
    },
    stop: () => bar.stop(),
  }
}

interface Meters {
  readonly bytesMeter: RateMeter
  readonly rowsMeter: RateMeter
  readonly hasColor: boolean
}

/** By bytes: how many of them there are is known of every dump. */
function progressText({ rows, bytes, totalBytes }: ImportStatus, { bytesMeter, rowsMeter, hasColor }: Meters): string {
  bytesMeter.observe(Date.now(), bytes)
  rowsMeter.observe(Date.now(), rows)
  const [bytesRate, rowsRate] = [bytesMeter.rowsPerSecond, rowsMeter.rowsPerSecond]
  return [
    'import',
    ...totalBytes > 0 ? [gauge(Math.min(1, bytes / totalBytes), hasColor)] : [],
    formatRows(rows), formatBytes(bytes),
    ...rowsRate === undefined ? [] : [`${formatCount(rowsRate)} rows/s`],
    ...bytesRate === undefined || bytesRate <= 0 ? [] : [`ETA ${formatDuration(Math.max(0, totalBytes - bytes) * 1_000 / bytesRate)}`],
  ].join('  ')
}
