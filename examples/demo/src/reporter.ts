const BAR_WIDTH = 30
const REDRAW_MS = 80
const PLAIN_LINE_MS = 1_000

/** A standard stream; `isTTY` is absent where it is a file or a pipe. */
export interface ReporterOutput {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

export interface Progress {
  readonly label: string
  readonly done: number
  /** Unknown for work without an end: no bar then. */
  readonly total?: number | undefined
}

/** Human output: lines, and one line of progress that a terminal sees move and a log sees now and then. */
export class Reporter {
  readonly #out: ReporterOutput
  readonly #isTerminal: boolean
  #shownAtMs = -Infinity
  #hasBar = false

  constructor(out: ReporterOutput) {
    this.#out = out
    this.#isTerminal = out.isTTY === true
  }

  line(text: string): void {
    this.#clearBar()
    this.#out.write(`${text}\n`)
  }

  progress(progress: Progress): void {
    const nowMs = performance.now()
    const isDone = progress.done === progress.total
    if (nowMs - this.#shownAtMs < (this.#isTerminal ? REDRAW_MS : PLAIN_LINE_MS) && !isDone) return
    this.#shownAtMs = nowMs
    if (!this.#isTerminal) return this.line(`  ${plain(progress)}`)
    this.#out.write(`\r\u001B[2K  ${bar(progress)}`)
    this.#hasBar = true
  }

  #clearBar(): void {
    if (this.#hasBar) this.#out.write('\r\u001B[2K')
    this.#hasBar = false
  }
}

function bar(progress: Progress): string {
  if (progress.total === undefined) return plain(progress)
  const filled = Math.round(BAR_WIDTH * Math.min(1, progress.done / progress.total))
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${plain(progress)}`
}

function plain({ label, done, total }: Progress): string {
  return total === undefined ? `${label}: ${count(done)}` : `${label}: ${count(done)} of ${count(total)}`
}

/** With separators for reading. */
export function count(number: number): string {
  return Math.round(number).toLocaleString('en-US')
}
