import type { Readable } from 'node:stream'
import type { AbortOptions } from '@tidemark/core/adapter'
import { bounded } from '../bounded.ts'
import { CopyChunks } from '../copy-chunks.ts'
import { mapPostgresError } from '../errors.ts'
import type { ExportTransaction } from './export-transaction.ts'

export interface ScanChunk {
  readonly bytes: Uint8Array
  readonly range: number
}

/** The rows of one table as COPY gives them, range after range. */
export class TableScan {
  readonly #transaction: ExportTransaction
  readonly #statements: readonly string[]
  #range: number
  #chunks: CopyChunks | undefined

  constructor(transaction: ExportTransaction, statements: readonly string[], range: number) {
    this.#transaction = transaction
    this.#statements = statements
    this.#range = range
  }

  /** `undefined` behind the last. A row may be cut by the end of a chunk, but not by the end of a range. */
  async next({ signal }: AbortOptions): Promise<ScanChunk | undefined> {
    while (this.#range < this.#statements.length) {
      this.#chunks ??= await this.#begin(this.#statements[this.#range] ?? '', signal)
      const bytes = await this.#chunks.next()
      if (bytes !== undefined) return { bytes, range: this.#range }
      this.#chunks.release()
      this.#chunks = undefined
      this.#range += 1
    }
    return undefined
  }

  close(): void {
    this.#chunks?.close()
    this.#chunks = undefined
    this.#range = this.#statements.length
  }

  async #begin(statement: string, signal: AbortSignal | undefined): Promise<CopyChunks> {
    const { instance, timeoutMs } = this.#transaction
    // The signal of a page is not that of the scan, which goes on with the next page.
    const chunks = new CopyChunks(instance, { idleTimeoutMs: timeoutMs })
    try {
      // A statement that answers with CopyOutResponse resolves to its stream.
      chunks.follow(await bounded(instance.sql.unsafe(statement), { signal, timeoutMs }) as unknown as Readable)
      return chunks
    } catch (error) {
      chunks.close()
      throw mapPostgresError(error)
    }
  }
}
