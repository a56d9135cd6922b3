import {
  abortable, TidemarkError, type AbortOptions, type AnyChangeTables, type ChangeBatch, type ChangeCheckpoint, type StoredState,
} from '@tidemark/core/adapter'
import type { SqliteDriver } from '../driver.ts'
import { SerialDriver } from '../serial-driver.ts'
import { StateTable } from '../state-table.ts'
import { lend, type ChangeTargetTransaction } from './change-target-transaction.ts'
import { holdTransaction } from './held-transaction.ts'
import { OpenUnit } from './open-unit.ts'

/** What a user chooses about a change target. */
export interface ChangeTargetOptions {
  /** Whose checkpoint it keeps. Unique in the database; best the subscriber's id. */
  readonly id: string
  /** Runs in a transaction each time the database is opened: makes the tables that the handler writes to. */
  readonly setup?: ((transaction: ChangeTargetTransaction) => unknown) | undefined
  /** Prefix of the table that the checkpoint is kept in. Default `tidemark_`. */
  readonly tablePrefix?: string | undefined
}

export interface SqliteChangeTargetConfig extends ChangeTargetOptions {
  /** Opens the database; called once, when it is first used, and again after that failed. */
  readonly open: () => Promise<SqliteDriver>
}

/** Takes batches; `more` is whatever else it is called with: the error, where it takes dead letters. */
export type TransactionHandler<DB, More extends readonly unknown[]> =
  (batch: ChangeBatch<DB>, transaction: ChangeTargetTransaction, ...more: More) => unknown

/**
 * Where a subscriber writes what it makes of changes, in one transaction with its checkpoint: each change takes effect once, however often
 * the process is killed and whatever the handler does, as long as it does it through the transaction.
 *
 * A transaction of the source that comes in several batches is one transaction here too: the database's write lock is held from its
 * first batch to its last.
 *
 * Errors: `CONFIG_INVALID`, `STATE_CONFLICT`, `CLOSED`, `TARGET_*`.
 */
export class SqliteChangeTarget implements AsyncDisposable {
  readonly #table: StateTable
  readonly #key: string
  readonly #driver: SerialDriver
  /** As it was read or written last; `undefined` before it was asked for. */
  #stored: { readonly state: StoredState | undefined } | undefined
  #unit: OpenUnit | undefined

  constructor({ id, open, setup, tablePrefix = 'tidemark_' }: SqliteChangeTargetConfig) {
    if (typeof id !== 'string' || id === '') {
      throw new TidemarkError('CONFIG_INVALID', 'A change target needs an id.', { issues: [{ path: 'id', message: 'Must be a text that is not empty.' }] })
    }
    const table = new StateTable(tablePrefix)
    this.#table = table
    this.#key = `target/${encodeURIComponent(id)}`
    const prepare = (driver: SqliteDriver): Promise<void> => driver.transaction(async (transaction) => {
      await table.create(transaction)
      if (setup !== undefined) await lend(transaction, setup)
    })
    this.#driver = new SerialDriver({ open, prepare, owner: 'change target' })
  }

  /**
   * Where to go on: for `from` of `subscribe`. `null` when nothing was stored yet. What an earlier subscription has left unfinished is
   * rolled back.
   */
  checkpoint({ signal }: AbortOptions = {}): Promise<ChangeCheckpoint | null> {
    const read = this.#driver.use(async (driver) => {
      await this.#rollBack()
      const state = await this.#table.read(driver, this.#key)
      this.#stored = { state }
      return (state?.value ?? null) as ChangeCheckpoint | null // written from a batch's
    })
    return abortable(read, signal)
  }

  /**
   * A handler for `subscribe`, and for its `deadLetter`: a batch that is put elsewhere has to move the checkpoint too. It returns when
   * the transaction is committed, or, within one, when its part is written.
   */
  handler<DB = AnyChangeTables, More extends readonly unknown[] = []>(apply: TransactionHandler<DB, More>): (batch: ChangeBatch<DB>, ...more: More) => Promise<void> {
    return (batch, ...more) => this.#driver.use((driver) => this.#take(driver, batch, (unit) => lend(unit.transaction, async (transaction) => {
      await apply(batch, transaction, ...more)
    })))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#driver.close(() => this.#rollBack())
  }

  async #take(driver: SqliteDriver, batch: Receipt, apply: (unit: OpenUnit) => Promise<void>): Promise<void> {
    if (this.#stored === undefined) throw new TypeError('Ask the change target for its checkpoint() first, and give it to subscribe() as `from`.')
    throwIfAborted(batch)
    const unit = batch.begin ? await this.#begin(driver, batch) : await this.#goOn(driver, batch)
    if (unit === undefined) return
    const write = (): Promise<void> => this.#write(unit, batch, apply)
    await (batch.begin ? unit.begin(write) : unit.goOn(write))
    if (batch.commit) await this.#commit(unit, batch)
    else if (batch.begin) this.#hold(unit, batch)
  }

  /** `undefined` when the batch is stored already. */
  async #begin(driver: SqliteDriver, batch: Receipt): Promise<OpenUnit | undefined> {
    if (this.#unit?.hasFailed === true) {
      throw new TidemarkError('STATE_CONFLICT', 'The end of a transaction was given to somebody else before it could be written.', {
        remedy: 'Make `deadLetter` a handler of the same change target.',
      })
    }
    // Unfinished: its end will not come, for the subscriber began anew behind it.
    await this.#rollBack()
    const unit = new OpenUnit(await holdTransaction(driver))
    const isNew = await this.#isNew(unit, batch).catch(async (error: unknown) => {
      await unit.rollBack()
      throw error
    })
    if (isNew) this.#unit = unit
    else await unit.rollBack()
    return isNew ? unit : undefined
  }

  async #goOn(driver: SqliteDriver, batch: Receipt): Promise<OpenUnit | undefined> {
    if (this.#unit !== undefined && !this.#unit.isOver) return this.#unit
    const state = await this.#table.read(driver, this.#key)
    if (isStored(state, batch)) return this.#note(state)
    throw new TidemarkError('STATE_CONFLICT', 'The transaction that this batch goes on with was rolled back.', {
      remedy: 'Subscribe again with `from: await target.checkpoint()`: the whole transaction comes again.',
    })
  }

  /** Errors: `STATE_CONFLICT` when somebody else has moved the checkpoint. */
  async #isNew({ transaction }: OpenUnit, batch: Receipt): Promise<boolean> {
    const state = await this.#table.read(transaction, this.#key)
    if (isStored(state, batch)) this.#note(state)
    else if (state?.version !== this.#stored?.state?.version) {
      throw new TidemarkError('STATE_CONFLICT', 'Another process has moved the checkpoint of this change target; nothing was written.', {
        remedy: 'Let one process at a time write to it, and subscribe again with `from: await target.checkpoint()`.',
      })
    }
    return !isStored(state, batch)
  }

  async #write(unit: OpenUnit, { checkpoint }: Receipt, apply: (unit: OpenUnit) => Promise<void>): Promise<void> {
    await apply(unit)
    if (checkpoint !== null) {
      await this.#table.write(unit.transaction, { key: this.#key, value: checkpoint, expected: this.#stored?.state?.version })
    }
  }

  async #commit(unit: OpenUnit, { checkpoint }: Receipt): Promise<void> {
    this.#unit = undefined
    await unit.commit()
    if (checkpoint !== null) this.#note({ value: checkpoint, version: (this.#stored?.state?.version ?? 0) + 1 })
  }

  /** The next part finds the transaction open, unless there will be none. */
  #hold(unit: OpenUnit, { signal }: Receipt): void {
    unit.watch(signal, () => {
      const end = this.#driver.use(() => (unit.isOver ? Promise.resolve() : unit.rollBack()))
      end.catch(() => undefined) // closed, and so rolled back already
    })
  }

  async #rollBack(): Promise<void> {
    const unit = this.#unit
    this.#unit = undefined
    if (unit?.isOver === false) await unit.rollBack()
  }

  #note(state: StoredState | undefined): undefined {
    this.#stored = { state }
  }
}

type Receipt = Pick<ChangeBatch, 'begin' | 'commit' | 'checkpoint' | 'signal'>

/** Whether it was written by an earlier try, whose answer was lost. */
function isStored(state: StoredState | undefined, { checkpoint }: Receipt): boolean {
  return checkpoint !== null && state?.value === checkpoint
}

function throwIfAborted({ signal }: Receipt): void {
  if (signal.aborted) throw new TidemarkError('ABORTED', 'The subscriber was stopped; nothing was written.')
}
