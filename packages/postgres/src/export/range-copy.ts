import type { Readable } from 'node:stream'
import type { AbortOptions } from '@tidemark/core/adapter'
import { bounded } from '../bounded.ts'
import { CopyChunks } from '../copy-chunks.ts'
import { mapPostgresError } from '../errors.ts'
import type { ExportTransaction } from './export-transaction.ts'

/** One range of a table on its way. The server begins to send it at once, as much as may wait here. */
export class RangeCopy {
  readonly range: number
  readonly transaction: ExportTransaction
  readonly #begun: Promise<CopyChunks>

  constructor({ range, statement, transaction, signal }: AbortOptions & { readonly range: number; readonly statement: string; readonly transaction: ExportTransaction }) {
    this.range = range
    this.transaction = transaction
    this.#begun = begin(transaction, statement, signal)
    // Its error is told when its turn comes.
    this.#begun.catch(() => undefined)
  }

  /** The next bytes, or `undefined` behind the last: the connection is free then. Errors: as the source's. */
  async next(): Promise<Uint8Array | undefined> {
    const chunks = await this.#begun
    const bytes = await chunks.next()
    if (bytes === undefined) chunks.release()
    return bytes
  }

  close(): void {
    this.#begun.then((chunks) => chunks.close(), () => undefined)
    this.transaction.close()
  }
}

async function begin(transaction: ExportTransaction, statement: string, signal: AbortSignal | undefined): Promise<CopyChunks> {
  const { instance, timeoutMs } = transaction
  // The signal of a page is not that of the scan, which goes on with the next page.
  const chunks = new CopyChunks(instance, { idleTimeoutMs: timeoutMs, recycles: true })
  try {
    // A statement that answers with CopyOutResponse resolves to its stream.
    chunks.follow(await bounded(instance.sql.unsafe(statement), { signal, timeoutMs }) as unknown as Readable)
    return chunks
  } catch (error) {
    chunks.close()
    throw mapPostgresError(error)
  }
}
