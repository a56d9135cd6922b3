import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that goes with this process, also at Ctrl-C, unless it is to be kept. */
export class WorkFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'tidemark-demo-'))
  readonly #keep: boolean
  readonly #remove = (): void => rmSync(this.path, { recursive: true, force: true })
  readonly #leave = (): never => process.exit(130)

  constructor(options: { readonly keep: boolean }) {
    this.#keep = options.keep
    if (!this.#keep) process.once('exit', this.#remove)
    // The default of these signals skips the exit handlers, the server's among them.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, this.#leave)
  }

  [Symbol.dispose](): void {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, this.#leave)
    process.off('exit', this.#remove)
    if (!this.#keep) this.#remove()
  }
}
