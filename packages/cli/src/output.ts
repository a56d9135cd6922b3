import { stripVTControlCharacters } from 'node:util'
import type { Redact } from './redact.ts'

/** What is written to: a process stream, or a buffer of a test. */
export interface OutputStream {
  /** `callback` is called once the text has been taken, with the error when it could not be. */
  write(text: string, callback?: (error?: Error | null) => void): unknown
}

export interface OutputOptions {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly redact: Redact
  readonly hasColor: boolean
}

/** The one place that writes: data to stdout, everything for people to stderr, both without secrets. */
export class Output {
  readonly #options: OutputOptions

  constructor(options: OutputOptions) {
    this.#options = options
  }

  get hasColor(): boolean {
    return this.#options.hasColor
  }

  /** Lines of data. */
  data(text: string): void {
    this.#options.stdout.write(`${this.clean(text)}\n`)
  }

  /**
   * Lines of the user's own rows, as they are: what looks like a secret in them is data. Resolves once they have been taken, so that
   * whoever waits is no faster than the reader.
   */
  rows(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#options.stdout.write(`${text}\n`, (error) => (error === undefined || error === null ? resolve() : reject(error)))
    })
  }

  /** One JSON object as a line. Its strings are cleaned one by one, so that the line stays JSON. */
  json(value: object): void {
    const text = JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? this.#options.redact(part) : part))
    this.#options.stdout.write(`${text}\n`)
  }

  /** Lines for people. */
  say(text: string): void {
    this.#options.stderr.write(`${this.clean(text)}\n`)
  }

  /** Without secrets, and without colour where colour is not wanted. */
  clean(text: string): string {
    const redacted = this.#options.redact(text)
    return this.#options.hasColor ? redacted : stripVTControlCharacters(redacted)
  }
}
