import type { ReplicatorEvents, SyncResult } from '@tidemark/core'
import cliProgress from 'cli-progress'
import { barText } from './bar-text.ts'
import type { LineReporter } from './line-reporter.ts'
import type { Progress, ReportedError, Reporter, Summary } from './reporter.ts'

export interface BarReporterOptions {
  /** Writes everything that stays; the bars vanish when their table is done. */
  readonly lines: LineReporter
  readonly stream: NodeJS.WritableStream
  readonly hasColor: boolean
  /** What may be shown of a text: without secrets. */
  readonly clean: (text: string) => string
}

const FPS = 8

/** For people at a terminal: one bar per table that is being synced, lines above them. */
export class BarReporter implements Reporter {
  /** The bars have their own clock. */
  readonly progressMs = 0
  readonly #options: BarReporterOptions
  /** Tables being synced, in order of appearance. */
  readonly #active = new Map<string, Progress | undefined>()
  #bars: cliProgress.MultiBar | undefined

  constructor(options: BarReporterOptions) {
    this.#options = options
  }

  started(name: string): void {
    this.#aside(() => this.#active.set(name, undefined))
  }

  progress(progress: Progress): void {
    // The bar reads the map whenever it draws.
    if (this.#active.has(progress.name)) this.#active.set(progress.name, progress)
  }

  retry(event: ReplicatorEvents['sync:retry']): void {
    this.#aside(() => this.#options.lines.retry(event))
  }

  schema(event: ReplicatorEvents['schema:changed']): void {
    this.#aside(() => this.#options.lines.schema(event))
  }

  warning(event: { readonly name: string; readonly id: string; readonly message: string }): void {
    this.#aside(() => this.#options.lines.warning(event))
  }

  result(result: SyncResult): void {
    this.#active.delete(result.name)
    this.#aside(() => this.#options.lines.result(result))
  }

  error(error: ReportedError, name?: string): void {
    if (name !== undefined) this.#active.delete(name)
    this.#aside(() => this.#options.lines.error(error, name))
  }

  notice(text: string): void {
    this.#aside(() => this.#options.lines.notice(text))
  }

  summary(summary: Summary): void {
    // Tables that were stopped have neither result nor error.
    this.#active.clear()
    this.#aside(() => this.#options.lines.summary(summary))
  }

  /** Takes the bars away, does the work, and draws them anew: what was written stays above them, whole. */
  #aside(work: () => unknown): void {
    this.#bars?.stop()
    this.#bars = undefined
    work()
    if (this.#active.size > 0) this.#bars = this.#open()
  }

  #open(): cliProgress.MultiBar {
    const { stream, clean, hasColor } = this.#options
    const bars = new cliProgress.MultiBar({
      stream,
      fps: FPS,
      clearOnComplete: true,
      hideCursor: true,
      // Signals are the command's business: it ends after the slice in flight.
      gracefulExit: false,
      emptyOnZero: true,
      format: (_options, _params, payload: { readonly name: string }) => clean(barText(payload.name, this.#active.get(payload.name), hasColor)),
    })
    for (const name of this.#active.keys()) bars.create(0, 0, { name })
    return bars
  }
}
