import { decodeMessage, toSequence, type PeerChange, type PeerChunk, type PeerTable, type PeerUnit, type RelayedFrom, type RowVersion, type SenderState } from '@tidemark/core/adapter'

/** What one message, or one part of a transaction, writes. */
export interface Batch {
  /** Who sent it. */
  readonly origin: string
  readonly tables: readonly PeerTable[]
  readonly changes: readonly PeerChange[]
  /** Who made it. */
  readonly from: RelayedFrom
  /** Of each change, where several instances write. */
  readonly versions: readonly RowVersion[] | undefined
  /** Of rows of a snapshot that came from their maker: this instance, and the number of the first. */
  readonly copy?: { readonly via: string; readonly first: number } | undefined
}

/** Whether another than the sender has made the changes. */
export function isRelayed({ origin, from }: Batch): boolean {
  return from.origin !== origin
}

type Lineage = Pick<SenderState, 'epoch' | 'restarts'>

/**
 * By which those who hear of the sender from this instance know its log. Another one when it has been begun anew, since after a restored backup
 * its places stand for other changes than before.
 */
function lineOf({ epoch, restarts = 0 }: Lineage): string {
  return restarts === 0 ? epoch : `${epoch}~${restarts}`
}

/** A unit with the parts that were kept before it, in their order. */
export function batchesOf(unit: PeerUnit, parts: readonly string[], sender: Lineage): readonly Batch[] {
  const units = [...parts.map(toUnit), unit]
  return units.map((part) => batchOfUnit(part, { unit, first: units[0] ?? unit, sender }))
}

/** The same, one at a time, for parts of which all together are more than fits in memory. */
export async function* batchesAsRead(unit: PeerUnit, parts: AsyncIterable<string>, sender: Lineage): AsyncGenerator<Batch> {
  let first: PeerUnit | undefined
  for await (const text of parts) {
    const part = toUnit(text)
    first ??= part
    yield batchOfUnit(part, { unit, first, sender })
  }
  yield batchOfUnit(unit, { unit, first: first ?? unit, sender })
}

function toUnit(text: string): PeerUnit {
  return decodeMessage(text) as PeerUnit // written from a unit
}

/** `unit`: that which ends the transaction; `first`: that which begins it. */
function batchOfUnit({ origin, tables, changes, version, relayed }: PeerUnit, { unit, first, sender }: { readonly unit: PeerUnit; readonly first: PeerUnit; readonly sender: Lineage }): Batch {
  const own = { origin: unit.origin, epoch: lineOf(sender), sequence: unit.to.sequence, after: first.from.sequence }
  return { origin, tables, changes, from: relayed ?? own, versions: version === undefined ? undefined : changes.map(() => version) }
}

/** The rows of a chunk, and what is known of those that are gone; by version, so that what was written together is passed on together. */
export function batchOfChunk(chunk: PeerChunk, sender: Lineage, copy: { readonly via: string; readonly first: number }): Batch {
  const { origin, table, rows, at, versions, tombstones } = chunk
  const from = { origin, epoch: lineOf(sender), sequence: at.sequence, copy: { via: copy.via, number: toSequence(copy.first) } }
  const upserts = rows.map((values): PeerChange => ({ op: 'upsert', table: 0, values }))
  if (versions === undefined) return { origin, tables: [table], changes: upserts, from, versions, copy }
  const deletes = tombstones.map(({ key }): PeerChange => ({ op: 'delete', table: 0, values: key }))
  const all = [...versions, ...tombstones.map(({ version }) => version)]
  const order = all.map((_, index) => index).toSorted((a, b) => ((all[a] ?? '') < (all[b] ?? '') ? -1 : 1))
  const changes = [...upserts, ...deletes]
  return { origin, tables: [table], from, copy, changes: order.flatMap((index) => changes[index] ?? []), versions: order.flatMap((index) => all[index] ?? []) }
}
