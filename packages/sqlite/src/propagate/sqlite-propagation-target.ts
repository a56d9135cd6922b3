import {
  abortable, decideChunk, decodeMessage, decideUnit, encodeMessage, TidemarkError, type AbortOptions, type PeerAnswer, type PeerChunk, type PeerHello, type PeerMessage,
  type PeerOutcome, type PeerTableState, type PeerUnit, type PropagationConnection, type PropagationSettings, type PropagationTarget, type RowVersions,
} from '@tidemark/core/adapter'
import type { BatchDriver, BatchTransaction } from '../driver.ts'
import { logNames } from '../capture/log-names.ts'
import { SerialDriver } from '../serial-driver.ts'
import { applyBatches, applyParts } from './apply-batches.ts'
import type { ApplyContext } from './apply-context.ts'
import type { AppliedTable } from './apply-changes.ts'
import { asRefusal } from './as-refusal.ts'
import { batchesAsRead, batchesOf, batchOfChunk } from './batch.ts'
import { peerNames, type PeerNames } from './peer-names.ts'
import {
  createPeerTables, dropParts, placeOf, readParts, readRelayed, readSender, streamParts, writePart, writeSender, writeTable, type KeptSender, type KeptTable,
} from './peer-state.ts'
import { parentsFirst } from './parents-first.ts'
import { isOfOneTable, TableFailed } from './table-failed.ts'
import { refused, takeHello } from './take-hello.ts'
import { withoutCulprit } from './without-culprit.ts'
import { SqliteRowVersions } from './versions/sqlite-row-versions.ts'
import { createVersionTables } from './versions/version-tables.ts'
import { VersionedApply, type VersionedContext } from './versions/versioned-apply.ts'

export interface SqlitePropagationHost {
  /** The address without credentials. */
  readonly address: string
  readonly maxParameters: number
  /** A connection of our own that enforces no foreign keys, unless `keepsForeignKeys`: what a cascade did at the sender comes as rows. */
  readonly open: () => Promise<PropagationDriver>
  /**
   * Whether foreign keys are enforced all the same, at the end of a transaction. Tables are then copied after those that they refer to, and no
   * row is replaced, which would delete it first. Default false.
   */
  readonly keepsForeignKeys?: boolean | undefined
  /** Whether the application's triggers can't be suspended in a transaction: a table that has any is refused. Default false. */
  readonly keepsTriggers?: boolean | undefined
  /** Whether a transaction may read behind its own writes. Default false. */
  readonly isInteractive?: boolean | undefined
}

/** What a receiver needs of a driver. */
export type PropagationDriver = Pick<BatchDriver, 'query' | 'transaction'> & AsyncDisposable

export interface SqlitePropagationOptions {
  /** Prefix of the tables that the receiver keeps. Default `tidemark_`. */
  readonly tablePrefix?: string | undefined
}

/** A SQLite database that takes the changes of its peers. Errors: `CONFIG_INVALID`. */
export function sqlitePropagationTarget(host: SqlitePropagationHost, { tablePrefix = 'tidemark_' }: SqlitePropagationOptions = {}): PropagationTarget {
  const names = peerNames(tablePrefix)
  return { address: host.address, connect: (settings) => new SqlitePropagationConnection(host, { names, settings }) }
}

const NONE: ApplyContext['relayed'] = new Map()
const LIVE: KeptTable = { state: { state: 'live' }, sweeps: false }

class SqlitePropagationConnection implements PropagationConnection {
  readonly #host: SqlitePropagationHost
  readonly #names: PeerNames
  readonly #settings: PropagationSettings
  readonly #driver: SerialDriver<PropagationDriver>
  readonly #versioned: VersionedContext | undefined
  readonly versions: RowVersions | undefined

  constructor(host: SqlitePropagationHost, { names, settings }: { readonly names: PeerNames; readonly settings: PropagationSettings }) {
    this.#host = host
    this.#names = names
    this.#settings = settings
    this.#versioned = versionedContext(host, { names, settings })
    this.#driver = new SerialDriver({ open: host.open, prepare: (driver) => driver.transaction((transaction) => this.#prepare(transaction)), owner: 'receiver' })
    this.versions = this.#versioned === undefined ? undefined : new SqliteRowVersions(this.#driver, this.#versioned)
  }

  take(message: PeerMessage, { signal }: AbortOptions = {}): Promise<PeerAnswer> {
    return abortable(this.#driver.use((driver) => this.#take(driver, message)), signal)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#driver.close()
  }

  async #prepare(transaction: BatchTransaction): Promise<void> {
    await createPeerTables(transaction, this.#names)
    if (this.#versioned !== undefined) await createVersionTables(transaction, this.#names, this.#versioned.log)
  }

  /** A table that can't be written to is refused, and the message applied again without it: nothing of the first try is left. */
  async #take(driver: PropagationDriver, message: PeerMessage): Promise<PeerAnswer> {
    const failed = new Map<string, TidemarkError>()
    const attempt = (without: ReadonlyMap<string, TidemarkError>): Promise<PeerAnswer> => driver.transaction((transaction) => this.#within(transaction, message, without))
    for (;;) {
      try {
        return await attempt(failed)
      } catch (error) {
        if (error instanceof TableFailed && !failed.has(error.table)) failed.set(error.table, error.error)
        else if (!isOfOneTable(error)) throw error instanceof TableFailed ? error.error : error
        else return withoutCulprit(attempt, { failed, error, tables: await this.#tablesOf(driver, message) })
      }
    }
  }

  /** All that a message may write to. */
  async #tablesOf(driver: PropagationDriver, message: PeerMessage): Promise<readonly string[]> {
    if (message.type !== 'unit') return message.type === 'chunk' ? [message.table.name] : []
    const parts = await driver.transaction((transaction) => readParts(transaction, this.#names, message.origin))
    return [...new Set([...parts.map((text) => decodeMessage(text) as PeerUnit), message].flatMap(({ tables }) => tables.map(({ name }) => name)))]
  }

  async #within(transaction: BatchTransaction, message: PeerMessage, failed: ReadonlyMap<string, TidemarkError>): Promise<PeerAnswer> {
    const known = await readSender(transaction, this.#names, message.origin)
    switch (message.type) {
      case 'hello': return this.#hello(transaction, message, known)
      case 'unit': return this.#unit(transaction, message, { known, failed })
      case 'chunk': return this.#chunk(transaction, message, { known, failed })
      default:
        message satisfies never
        throw new TidemarkError('INTERNAL', 'A message has no type.')
    }
  }

  async #hello(transaction: BatchTransaction, hello: PeerHello, known: KeptSender | undefined): Promise<PeerAnswer> {
    const asked = hello.tables.map(({ name }) => name)
    // The sender copies in the order of the answer.
    const ordered = this.#host.keepsForeignKeys === true ? await parentsFirst(transaction, asked) : asked
    const now = await takeHello(transaction, hello, { names: this.#names, settings: this.#settings, host: this.#host, known })
    return this.#answer('applied', now, { epoch: hello.epoch, asked: ordered })
  }

  async #unit(transaction: BatchTransaction, unit: PeerUnit, { known, failed }: Taking): Promise<PeerAnswer> {
    const decision = decideUnit(known?.sender, known?.tables ?? new Map(), unit)
    if (known === undefined || decision === 'unknown') return this.#answer('unknown', known, unit)
    if (decision === 'elsewhere') return this.#answer('elsewhere', known, { epoch: unit.epoch, asked: unit.without })
    if (decision === 'done') return this.#answer('applied', known, unit)
    const { origin, to } = unit
    if (decision === 'keep') {
      const sender = { ...known.sender, keptTo: to }
      await writePart(transaction, this.#names, { origin, message: encodeMessage(unit), isFirst: known.sender.keptTo === null })
      await writeSender(transaction, this.#names, { origin, sender })
      return this.#answer('applied', { ...known, sender }, unit)
    }
    const relayed = unit.relayed === undefined ? NONE : await readRelayed(transaction, this.#names, unit.relayed.origin)
    await this.#applyUnit(transaction, unit, this.#applying({ known, failed, relayed }))
    if (known.sender.keptTo !== null) await dropParts(transaction, this.#names, origin)
    const sender = { ...known.sender, at: to, keptTo: null }
    await writeSender(transaction, this.#names, { origin, sender })
    return this.#answer('applied', { sender, tables: await this.#refuse(transaction, unit, { known, failed }) }, unit)
  }

  /** Where it can be, a transaction in parts is applied in the memory of one. */
  async #applyUnit(transaction: BatchTransaction, unit: PeerUnit, context: ApplyContext): Promise<void> {
    const { origin } = unit
    const { known: { sender }, versioned, names } = context
    if (sender.keptTo !== null && this.#host.isInteractive === true && versioned === undefined) {
      return applyParts(transaction, batchesAsRead(unit, streamParts(transaction, names, origin), sender), context)
    }
    const parts = sender.keptTo === null ? [] : await readParts(transaction, names, origin)
    return applyBatches(transaction, batchesOf(unit, parts, sender), context)
  }

  async #chunk(transaction: BatchTransaction, chunk: PeerChunk, { known, failed }: Taking): Promise<PeerAnswer> {
    const { origin, table: { name }, next } = chunk
    const kept = known?.tables.get(name)
    const decision = decideChunk(known?.sender, kept?.state, chunk)
    if (known === undefined || kept === undefined || decision !== 'apply') return this.#answer(decision === 'unknown' ? 'unknown' : 'elsewhere', known, { epoch: chunk.epoch, asked: [name] })
    const chunks = (kept.chunks ?? 0) + 1
    await applyBatches(transaction, [batchOfChunk(chunk, known.sender, { via: this.#settings.origin ?? '', first: chunks * GROUPS_PER_CHUNK })], this.#applying({ known, failed, relayed: NONE }), next === null && kept.sweeps ? (table) => this.#sweep(transaction, chunk, table) : undefined)
    const now: KeptTable = next === null ? { ...LIVE, chunks } : { state: { state: 'copying', after: next }, sweeps: kept.sweeps, chunks }
    if (!failed.has(name)) await writeTable(transaction, this.#names, { origin, name, kept: now })
    const tables = await this.#refuse(transaction, chunk, { known: { ...known, tables: new Map([...known.tables, [name, now]]) }, failed })
    return this.#answer('applied', { ...known, tables }, { epoch: chunk.epoch, asked: [name] })
  }

  /** With the last chunk, rows that the copy did not bring are deleted: by the sender, whose name is on it. */
  async #sweep(transaction: BatchTransaction, { origin, table: { name } }: PeerChunk, applied: AppliedTable | undefined): Promise<void> {
    if (applied?.notesCopied !== true) return
    await transaction.run(applied.statements.sweep, [origin, name])
    await transaction.run(`DELETE FROM ${this.#names.copied} WHERE origin = ? AND name = ?`, [origin, name])
  }

  #applying({ known, failed, relayed }: Pick<ApplyContext, 'known' | 'relayed'> & Pick<Taking, 'failed'>): ApplyContext {
    const { origin: own, refusesLocalWrites: guards } = this.#settings
    return { names: this.#names, host: this.#host, guards, known, own, relayed, failed: new Set(failed.keys()), versioned: this.#versioned === undefined ? undefined : new VersionedApply(this.#versioned) }
  }

  async #refuse(transaction: BatchTransaction, { origin }: PeerMessage, { known, failed }: { readonly known: KeptSender } & Omit<Taking, 'known'>): Promise<KeptSender['tables']> {
    const tables = new Map(known.tables)
    for (const [name, error] of failed) {
      const kept = refused(asRefusal(error, { isVersioned: this.#versioned !== undefined }))
      tables.set(name, kept)
      await writeTable(transaction, this.#names, { origin, name, kept })
    }
    return tables
  }

  /** All tables that were asked for, else those that are not live. */
  #answer(outcome: PeerOutcome, known: KeptSender | undefined, { epoch, asked = [] }: { readonly epoch: string; readonly asked?: readonly string[] }): PeerAnswer {
    const states: [string, PeerTableState][] = []
    for (const name of new Set([...asked, ...known?.tables.keys() ?? []])) {
      const state = known?.tables.get(name)?.state
      if (state !== undefined && (asked.includes(name) || state.state !== 'live')) states.push([name, state])
    }
    return { outcome, origin: this.#settings.origin, at: placeOf(known, epoch), isCommit: (known?.sender.keptTo ?? null) === null, tables: Object.fromEntries(states) }
  }
}

/** Errors: `CONFIG_INVALID`, `NOT_SUPPORTED`. */
function versionedContext({ isInteractive = false, keepsForeignKeys = false }: SqlitePropagationHost, { names, settings }: { readonly names: PeerNames; readonly settings: PropagationSettings }): VersionedContext | undefined {
  const { versioned: writes, origin, log } = settings
  if (writes === undefined) return undefined
  if (!isInteractive) throw new TidemarkError('NOT_SUPPORTED', 'Where several instances write, the database must let a transaction read what it has written.')
  // What a cascade deletes here would have neither a version of its own nor a way back to who sent the change.
  if (keepsForeignKeys) throw new TidemarkError('NOT_SUPPORTED', 'Where several instances write, the database must not enforce foreign keys on what is applied.', { remedy: 'Open it as a file, where they can be switched off.' })
  if (origin === undefined) throw new TidemarkError('CONFIG_INVALID', 'An instance that writes needs a name.', { issues: [{ path: 'origin', message: 'Must be given.' }] })
  return { names, writes, own: origin, log: logNames(log) }
}

/** More than a chunk can have rows. */
const GROUPS_PER_CHUNK = 2 ** 24

interface Taking {
  readonly known: KeptSender | undefined
  readonly failed: ReadonlyMap<string, TidemarkError>
}
