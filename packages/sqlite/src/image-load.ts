import type { AbortOptions, Commit, TableLoad, Value } from '@tidemark/core/adapter'
import { IMAGE_TABLE, ImageBuilder } from './bulk/image-builder.ts'
import { requireCommit, writeCheckpoint } from './commit.ts'
import type { AttachedImage } from './driver.ts'
import type { LoadContext } from './load-context.ts'
import { quote, quoteAll } from './quote.ts'
import { rowidColumn } from './table-ddl.ts'
import { throwIfAborted } from './throw-if-aborted.ts'

/** Bulk load by database image: rows are written as SQLite's own pages and copied in by SQLite, one image a commit. */
export class ImageLoad implements TableLoad {
  readonly #context: LoadContext
  readonly #image: ImageBuilder
  readonly #attach: (image: Uint8Array) => Promise<AttachedImage>

  constructor(context: LoadContext, attach: (image: Uint8Array) => Promise<AttachedImage>) {
    const { columns } = context.stage
    const rowid = rowidColumn(context.stage)
    this.#context = context
    this.#attach = attach
    this.#image = new ImageBuilder({
      columns: columns.map((column) => column.storage),
      rowidColumn: rowid === undefined ? undefined : columns.findIndex((column) => column.name === rowid),
      maxRowBytes: context.maxRowBytes,
    })
  }

  get pendingRows(): number {
    return this.#image.rows
  }

  get pendingBytes(): number {
    return this.#image.bytes
  }

  null(): void {
    this.#image.null()
  }

  integer(value: number): void {
    this.#image.integer(value)
  }

  bigint(value: bigint): void {
    this.#image.bigint(value)
  }

  real(value: number): void {
    this.#image.real(value)
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    this.#image.text(bytes, start, end)
  }

  blob(bytes: Uint8Array, start: number, end: number): void {
    this.#image.blob(bytes, start, end)
  }

  value(value: Value): void {
    this.#image.value(value)
  }

  endRow(): void {
    this.#image.endRow()
  }

  async commit(commit: Commit, options: AbortOptions = {}): Promise<void> {
    const { exclusive } = this.#context
    await exclusive(() => {
      throwIfAborted(options.signal)
      return this.#copy(commit)
    })
    this.#image.reset()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#image.reset()
    return Promise.resolve()
  }

  /** ATTACH can't stand in a transaction, so the image comes first. */
  async #copy(commit: Commit): Promise<void> {
    const { driver, ledger } = this.#context
    const image = await this.#attach(this.#image.finish())
    try {
      await driver.transaction(async (transaction) => {
        await requireCommit(transaction, ledger, commit)
        await transaction.run(this.#copySql(image.schema))
        await writeCheckpoint(transaction, ledger, commit.checkpoint)
      })
    } finally {
      await image[Symbol.asyncDispose]()
    }
  }

  /** Without a column list, or the transfer optimization does not apply; a soft-delete column is not in the image. */
  #copySql(schema: string): string {
    const { stage } = this.#context
    const columns = stage.deletedAtColumn === undefined ? '' : ` (${quoteAll(stage.columns.map((column) => column.name))})`
    return `INSERT INTO main.${quote(stage.name)}${columns} SELECT * FROM ${schema}.${IMAGE_TABLE}`
  }
}
