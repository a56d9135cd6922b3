import { throwIfAborted, TidemarkError } from '@tidemark/core/adapter'

export interface AnswerReaderOptions {
  /** Longest wait for a piece, in milliseconds. A reader that takes its time between two pieces is not waited for. */
  readonly silenceMs: number
  readonly signal: AbortSignal | undefined
}

/** The bytes of an answer, piece by piece. */
export class AnswerReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  readonly #options: AnswerReaderOptions

  constructor(response: Response, options: AnswerReaderOptions) {
    this.#reader = response.body?.getReader()
    this.#options = options
  }

  /** `undefined` at the end. Errors: `STORAGE_UNREACHABLE` when it is cut off or nothing comes, `ABORTED`. */
  async read(): Promise<Uint8Array | undefined> {
    const { silenceMs, signal } = this.#options
    let isSilent = false
    const timer = setTimeout(() => {
      isSilent = true
      void this.cancel()
    }, silenceMs)
    try {
      const { value } = await this.#reader?.read() ?? { value: undefined }
      if (!isSilent) return value
    } catch {
      // What the network said is told below, by what it means.
    } finally {
      clearTimeout(timer)
    }
    throwIfAborted(signal)
    throw new TidemarkError('STORAGE_UNREACHABLE', 'The storage\'s answer was cut off.')
  }

  async text(): Promise<string> {
    const decoder = new TextDecoder()
    let text = ''
    for (let piece = await this.read(); piece !== undefined; piece = await this.read()) text += decoder.decode(piece, { stream: true })
    return text + decoder.decode()
  }

  async cancel(): Promise<void> {
    await this.#reader?.cancel().catch(() => undefined)
  }
}
