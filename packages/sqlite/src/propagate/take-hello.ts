import {
  decideHello, TidemarkError, type PeerHello, type PeerTable, type PeerTableState, type PropagationSettings, type SenderState,
} from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { followSchema } from './follow-schema.ts'
import { guardTable, unguardTable } from './guard-tables.ts'
import { isReserved, type PeerNames } from './peer-names.ts'
import { hasColumn, readShape, shapeDifference, type PeerShape } from './peer-shape.ts'
import type { SqlitePropagationHost } from './sqlite-propagation-target.ts'
import { isOfOneTable } from './table-failed.ts'
import { triggerFault } from './suspend-triggers.ts'
import { dropParts, writeSender, writeTable, type KeptSender, type KeptTable } from './peer-state.ts'

export interface HelloContext {
  readonly names: PeerNames
  readonly settings: PropagationSettings
  readonly host: Pick<SqlitePropagationHost, 'keepsTriggers'>
  readonly known: KeptSender | undefined
}

/** Notes where a sender's log begins here and how each of its tables stands. Errors: `ORIGIN_TAKEN`. */
export async function takeHello(transaction: BatchTransaction, hello: PeerHello, context: HelloContext): Promise<KeptSender> {
  const { names, settings, known } = context
  const decision = decideHello(known?.sender, hello, settings.origin)
  if (decision === 'taken') throw taken(hello)
  if (hello.isVersioned !== (settings.versioned !== undefined)) throw new TidemarkError('PEER_POLICY_DIFFERS', 'The sender and this receiver do not resolve conflicts in the same way.')
  const sender = senderOf(hello, decision === 'known' ? known?.sender : undefined, known?.sender)
  const shapes = await Promise.all(hello.tables.map((table) => readShape(transaction, table.name)))
  const tables = new Map(hello.tables.map((table, index) => [table.name, numberedOn(nextState(table, { hello, shape: shapes[index], context, isKnown: decision === 'known' }), known?.tables.get(table.name))]))
  if (decision !== 'known') {
    await writeSender(transaction, names, { origin: hello.origin, sender })
    await dropParts(transaction, names, hello.origin)
  }
  for (const [index, table] of hello.tables.entries()) {
    const fault = await prepare(transaction, table, { shape: shapes[index], context })
    if (fault !== undefined) tables.set(table.name, refused(fault))
  }
  for (const [name, kept] of tables) await keep(transaction, hello, { name, kept, context })
  return { sender, tables: new Map([...known?.tables ?? [], ...tables]) }
}

function senderOf(hello: PeerHello, current: SenderState | undefined, former: SenderState | undefined): SenderState {
  if (current !== undefined) return current
  const { epoch, head } = hello
  const retired = former === undefined ? [] : [...former.retired, ...former.epoch === epoch ? [] : [former.epoch]]
  const restarts = former?.epoch === epoch ? (former.restarts ?? 0) + 1 : 0
  return { epoch, retired, at: head, keptTo: null, restarts }
}

const LIVE: KeptTable = { state: { state: 'live' }, sweeps: false }

/** What is passed on of a table's copies is numbered on, however often it is copied. */
function numberedOn(kept: KeptTable, former: KeptTable | undefined): KeptTable {
  return kept === former || former?.chunks === undefined ? kept : { ...kept, chunks: former.chunks }
}

interface StateRequest {
  readonly hello: PeerHello
  readonly shape: PeerShape | undefined
  readonly context: HelloContext
  /** Whether the receiver goes on with a log that it follows. */
  readonly isKnown: boolean
}

function nextState(table: PeerTable, { hello, shape, context, isKnown }: StateRequest): KeptTable {
  const { settings, known } = context
  const former = known?.tables.get(table.name)
  const difference = differenceOf(table, shape, context) ?? triggerFault(shape, context)
  if (difference !== undefined) return refused(difference)
  if (isKnown && former?.state.state === 'live') return former
  if (isKnown && former?.state.state === 'copying') return former
  // Rows of several writers are merged, each by its version: none is replaced that is newer.
  if (settings.versioned !== undefined && hello.snapshot) return { state: { state: 'copying', after: null }, sweeps: false }
  const mayReplace = settings.replacesRows || (former !== undefined && !isTheirs(former.state))
  return firstState({ wantsCopy: hello.snapshot, hasRows: shape?.hasRows === true, mayReplace, former })
}

function firstState({ wantsCopy, hasRows, mayReplace, former }: { readonly wantsCopy: boolean; readonly hasRows: boolean; readonly mayReplace: boolean; readonly former: KeptTable | undefined }): KeptTable {
  // Without a copy there is no way back to rows that are right.
  if (!wantsCopy) return former?.state.state === 'refused' ? former : LIVE
  if (!hasRows || mayReplace) return { state: { state: 'copying', after: null }, sweeps: hasRows }
  return former?.state.state === 'refused' ? former : refused(new TidemarkError('PEER_NOT_EMPTY', 'The table has rows that did not come from this sender.'))
}

/** What keeps the table from being followed; made or extended where that is wanted. */
function differenceOf(table: PeerTable, shape: PeerShape | undefined, { names, settings: { log, followsSchema, tables } }: HelloContext): TidemarkError | undefined {
  if (tables?.has(table.name) === false) return new TidemarkError('PEER_TABLE_REFUSED', `The receiver takes no changes of a table '${table.name}'.`)
  if (isReserved(table.name, { names, log })) return new TidemarkError('PEER_SCHEMA_DIFFERS', `The table '${table.name}' is one that the receiver keeps for itself.`, { remedy: 'Leave it out of `tables` of the sender.' })
  return followsSchema ? followable(table, shape) : shapeDifference(table, shape)
}

/** Reasons that say nothing of the rows that are there. */
const OURS: ReadonlySet<string> = new Set(['PEER_SCHEMA_DIFFERS', 'PEER_TABLE_REFUSED', 'KEY_REQUIRED'])

/** Whether somebody else has written to the table, so that its rows are not the sender's to replace. */
function isTheirs(state: PeerTableState): boolean {
  return state.state === 'refused' && !OURS.has(state.error.code)
}

/** What can't be followed: everything but a missing table or column. */
function followable(table: PeerTable, shape: PeerShape | undefined): TidemarkError | undefined {
  if (shape === undefined) return undefined
  const missing = table.columns.filter(({ name }) => !hasColumn(shape, name))
  return shapeDifference(table, { ...shape, columns: [...shape.columns, ...missing] })
}

async function prepare(transaction: BatchTransaction, table: PeerTable, { shape, context }: { readonly shape: PeerShape | undefined; readonly context: HelloContext }): Promise<TidemarkError | undefined> {
  const { names, settings } = context
  if (differenceOf(table, shape, context) !== undefined) return undefined
  const fault = settings.followsSchema ? await follow(transaction, table, shape) : undefined
  if (fault !== undefined) return fault
  if (settings.refusesLocalWrites) await guardTable(transaction, names, table.name)
  else if (shape?.triggers.some(({ name }) => name.startsWith(names.guard)) === true) await unguardTable(transaction, names, table.name)
  return undefined
}

/** What SQLite does not make, such as a table with the name of an index, keeps that table out and no other. */
async function follow(transaction: BatchTransaction, table: PeerTable, shape: PeerShape | undefined): Promise<TidemarkError | undefined> {
  try {
    await followSchema(transaction, table, shape)
    return undefined
  } catch (error) {
    if (!isOfOneTable(error)) throw error
    return new TidemarkError('PEER_SCHEMA_DIFFERS', `The table '${table.name}' could not be made as its sender has it.`, { cause: error })
  }
}

async function keep(transaction: BatchTransaction, hello: PeerHello, { name, kept, context }: { readonly name: string; readonly kept: KeptTable; readonly context: HelloContext }): Promise<void> {
  const { names, known } = context
  if (known?.tables.get(name) === kept) return
  await writeTable(transaction, names, { origin: hello.origin, name, kept })
  if (kept.state.state === 'copying') await transaction.run(`DELETE FROM ${names.copied} WHERE origin = ? AND name = ?`, [hello.origin, name])
}

export function refused(error: TidemarkError): KeptTable {
  return { state: { state: 'refused', error: error.toJSON() }, sweeps: false }
}

function taken({ origin }: PeerHello): TidemarkError {
  return new TidemarkError('ORIGIN_TAKEN', `Another log is known here under the name '${origin}'.`)
}
