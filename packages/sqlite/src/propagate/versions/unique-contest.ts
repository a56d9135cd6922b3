import { displacedVersion, NO_TIME, toVersion, type PeerChange, type RowValues, type RowVersion, type TidemarkError } from '@tidemark/core/adapter'
import { ENTRY, entryCode } from '../../capture/log-entry.ts'
import { readLayouts, type StoredLayout } from '../../capture/layouts.ts'
import type { LogNames } from '../../capture/log-names.ts'
import type { BatchTransaction } from '../../driver.ts'
import { flatten } from '../../upsert.ts'
import type { PlannedBatch } from '../apply-context.ts'
import type { AppliedTable } from '../apply-changes.ts'
import type { PeerNames } from '../peer-names.ts'
import { rowStatements } from '../row-statements.ts'
import { isOfOneTable, TableFailed } from '../table-failed.ts'
import { boundKey, keyOfRow, keyTextSql } from './key-text.ts'
import type { MessageRows } from './message-rows.ts'
import { readVersions } from './newer-changes.ts'

/** A row that loses a unique value to another, and the version of its deletion. */
export interface Loser {
  readonly applied: AppliedTable
  readonly key: RowValues
  readonly keyText: string
  readonly version: RowVersion
}

export interface ContestContext {
  readonly names: PeerNames
  readonly log: LogNames
  readonly own: string
  readonly rows: MessageRows
}

export interface ContestResult {
  readonly losers: readonly Loser[]
  /** Changes that are not applied. */
  readonly dropped: ReadonlySet<PeerChange>
}

interface Holder {
  readonly key: RowValues
  readonly keyText: string
  readonly version: RowVersion
}

/** One change, and all of its transaction. */
interface Contested {
  readonly change: Extract<PeerChange, { readonly op: 'upsert' }>
  readonly applied: AppliedTable
  readonly version: RowVersion
  readonly all: ReadonlySet<PeerChange>
}

/**
 * Finds which rows lose a unique value to which others, when changes of one version can't be written as they are. Two rows may have the same
 * value because two instances have given it; the row with the greater version keeps it, and of equal ones that with the greater key. Which of
 * two loses depends on nothing but what both are, so that all instances end alike.
 *
 * Applies the changes one by one to see who is in whose way, whatever the kind of index, and undoes all of it. Costs a few statements for each
 * change; only ever done behind a failure.
 */
export class UniqueContest {
  readonly #transaction: BatchTransaction
  readonly #context: ContestContext
  readonly #losers = new Map<string, Loser>()
  readonly #dropped = new Set<PeerChange>()
  readonly #seen = new Set<PeerChange>()
  #layouts: readonly StoredLayout[] | undefined

  constructor(transaction: BatchTransaction, context: ContestContext) {
    this.#transaction = transaction
    this.#context = context
  }

  /** Errors: that of a change which can't be written for another reason. */
  async hold(batches: readonly PlannedBatch[], version: RowVersion): Promise<ContestResult> {
    await this.#transaction.run('SAVEPOINT tidemark_contest')
    const all = new Set(batches.flatMap(({ changes }) => changes))
    for (const { changes, applied } of batches) {
      for (const change of changes) {
        const table = applied[change.table]
        if (table !== undefined && !this.#dropped.has(change)) await this.#apply(change, { applied: table, version, all })
        this.#seen.add(change)
      }
    }
    await this.#transaction.run('ROLLBACK TO tidemark_contest')
    await this.#transaction.run('RELEASE tidemark_contest')
    return { losers: [...this.#losers.values()], dropped: this.#dropped }
  }

  async #apply(change: PeerChange, { applied, version, all }: Omit<Contested, 'change'>): Promise<void> {
    if (change.op === 'truncate') return
    if (change.op === 'delete') return this.#delete(applied, change.values)
    try {
      await this.#transaction.run(applied.statements.upsert(1), flatten([change.values], 0, 1))
    } catch (error) {
      if (!isOfOneTable(error)) throw error
      await this.#decide({ change, applied, version, all }, error)
    }
  }

  /** Of several changes of a row only the last counts: the others are gone when the transaction ends. */
  async #decide(contested: Contested, error: TidemarkError): Promise<void> {
    const { change, applied, version, all } = contested
    const { rows } = this.#context
    if (!rows.isLast(change, all)) return void this.#dropped.add(change)
    await this.#transaction.run('SAVEPOINT tidemark_row')
    const holders = await this.#replace(contested)
    if (holders.length === 0) throw new TableFailed(applied.table.name, error)
    const mine: Holder = { key: keyOfRow(applied.table, change.values), keyText: rows.keyOf(change), version }
    if (holders.every((holder) => isGreater(mine, holder))) for (const holder of holders) this.#holderLoses(holder, contested)
    else await this.#changeLoses(mine, contested)
    await this.#transaction.run('RELEASE tidemark_row')
  }

  /** Writes the row over all that are in its way, and tells which these were: the change log notes what a REPLACE deletes. */
  async #replace({ change, applied }: Contested): Promise<readonly Holder[]> {
    const { table, shape } = applied
    const { names, log } = this.#context
    this.#layouts ??= await readLayouts(this.#transaction, log)
    const layout = this.#layouts.find((stored) => stored.isCurrent && stored.layout.table === table.name)?.layout
    if (layout === undefined) return []
    const [head] = await this.#transaction.query(`SELECT ifnull(max(seq), 0) FROM ${log.log}`)
    await this.#transaction.run(rowStatements(table, shape, { conflict: 'replace', copied: names.copied }).upsert(1), flatten([change.values], 0, 1))
    const slots = table.key.map((name) => `v${layout.columns.findIndex((column) => column.name === name)}`)
    const text = keyTextSql(slots, table.key.map((name) => shape.collations.get(name)))
    const deleted = await this.#transaction.query(`SELECT ${text}, ${slots.join(', ')} FROM ${log.log} WHERE seq > ? AND k = ${entryCode(layout.id, ENTRY.delete)}`, [BigInt(Number(head?.[0]))])
    const own = this.#context.rows.keyOf(change)
    const holders: Holder[] = []
    for (const [keyText, ...key] of deleted) if (keyText !== own) holders.push({ key, keyText: String(keyText), version: await this.#versionOf(applied, key, String(keyText)) })
    return holders
  }

  async #versionOf({ table, shape }: AppliedTable, key: RowValues, keyText: string): Promise<RowVersion> {
    const { names, own, rows } = this.#context
    const known = rows.versionNow(table.name, keyText, this.#seen)
    if (known?.version !== undefined) return known.version
    // It was here before its row was replaced a moment ago, so that the least version there is stands for none.
    const [found] = await readVersions(this.#transaction, [key], { names, table, shape, own })
    return found?.version ?? toVersion(NO_TIME, own)
  }

  /** It is deleted before the changes. One that they have written themselves is not written at all, or not before the last of them. */
  #holderLoses(holder: Holder, { applied, version, all }: Contested): void {
    const changes = this.#context.rows.changesOf(applied.table.name, holder.keyText, all).filter((change) => !this.#dropped.has(change))
    const written = changes.filter((change) => this.#seen.has(change))
    for (const change of written) this.#dropped.add(change)
    if (written.length === 0) this.#lose(applied, holder)
    else if (written.length === changes.length) this.#lose(applied, { ...holder, version })
  }

  async #changeLoses(mine: Holder, { applied, all }: Contested): Promise<void> {
    await this.#transaction.run('ROLLBACK TO tidemark_row')
    for (const same of this.#context.rows.changesOf(applied.table.name, mine.keyText, all)) this.#dropped.add(same)
    await this.#delete(applied, mine.key)
    this.#lose(applied, mine)
  }

  #lose(applied: AppliedTable, { key, keyText, version }: Holder): void {
    this.#losers.set(`${keyText} ${applied.table.name}`, { applied, key, keyText, version: displacedVersion(version) })
  }

  async #delete({ table, statements }: AppliedTable, key: RowValues): Promise<void> {
    await this.#transaction.run(statements.delete, boundKey(table, key))
  }
}

function isGreater(a: Holder, b: Holder): boolean {
  return a.version === b.version ? a.keyText > b.keyText : a.version > b.version
}
