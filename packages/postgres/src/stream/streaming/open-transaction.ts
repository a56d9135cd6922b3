import { TidemarkError, type Spool, type SpoolFile } from '@tidemark/core/adapter'
import { SpoolBlock, type SpooledMessage } from './spool-block.ts'

/** What a number in the set of what was taken back takes, roughly. */
const ABORTED_BYTES = 64

/** What has come of a transaction that has not ended. */
export class OpenTransaction {
  readonly xid: number
  /** Parts of it that were taken back. */
  readonly #aborted = new Set<number>()
  readonly #blocks: SpoolBlock[] = []
  #file: SpoolFile | undefined
  /** Where its file goes on, and how long that ever was. */
  #fileEnd = 0
  #fileBytes = 0
  #memoryBytes = 0

  constructor(xid: number) {
    this.xid = xid
  }

  /** What it takes of memory. */
  get memoryBytes(): number {
    return this.#memoryBytes + this.#aborted.size * ABORTED_BYTES
  }

  /** What it takes of the spool. */
  get fileBytes(): number {
    return this.#fileBytes
  }

  isAborted(xid: number): boolean {
    return this.#aborted.has(xid)
  }

  add(message: SpooledMessage): void {
    const last = this.#blocks.at(-1)
    const before = last?.memoryBytes ?? 0
    if (last?.add(message) === true) {
      this.#memoryBytes += last.memoryBytes - before
      return
    }
    const block = new SpoolBlock()
    block.add(message)
    this.#blocks.push(block)
    this.#memoryBytes += block.memoryBytes
  }

  /** A part of it is taken back, with nothing else: parts of that part come by themselves. Frees what is easily freed; the rest is passed over. */
  abort(xid: number): void {
    this.#aborted.add(xid)
    for (let last = this.#blocks.at(-1); last?.sole !== undefined && this.#aborted.has(last.sole); last = this.#blocks.at(-1)) {
      this.#blocks.pop()
      if (last.content === undefined) this.#fileEnd = last.at
      this.#memoryBytes -= last.memoryBytes
    }
  }

  /** How much the spool has to take, that it has not taken before, so that nothing of it is in memory. */
  get growth(): number {
    const length = this.#blocks.reduce((sum, block) => sum + (block.content?.length ?? 0), this.#fileEnd)
    return Math.max(0, length - this.#fileBytes)
  }

  /** Writes what is in memory. Errors: `SPOOL_FAILED`. */
  async store(spool: Spool): Promise<void> {
    this.#file ??= await guarded(() => spool.open())
    const file = this.#file
    for (const block of this.#blocks) {
      const { content, memoryBytes } = block
      if (content === undefined) continue
      await guarded(() => file.write(this.#fileEnd, content))
      block.stored(this.#fileEnd)
      this.#fileEnd += content.length
      this.#fileBytes = Math.max(this.#fileBytes, this.#fileEnd)
      this.#memoryBytes -= memoryBytes
    }
  }

  /** The next block, which is forgotten; from memory at once. `undefined`: that was all. Errors: `SPOOL_FAILED`. */
  shift(): Buffer | Promise<Buffer> | undefined {
    const block = this.#blocks.shift()
    if (block === undefined) return undefined
    const { content } = block
    this.#memoryBytes -= block.memoryBytes
    return content ?? this.#read(block)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#blocks.length = 0
    const file = this.#file
    this.#file = undefined
    await file?.[Symbol.asyncDispose]()
  }

  async #read(block: SpoolBlock): Promise<Buffer> {
    const file = this.#file
    if (file === undefined) throw new TidemarkError('CLOSED', 'The spool is closed.')
    return block.restored(await guarded(() => file.read(block.at, block.length)))
  }
}

/** A spool is the application's, and may throw anything. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof TidemarkError ? error : new TidemarkError('SPOOL_FAILED', 'The spool could not be written or read.', { cause: error })
  }
}
