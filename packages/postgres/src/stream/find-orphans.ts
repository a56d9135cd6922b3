import { parseMark } from './publication-mark.ts'

/** What a database has of slots and publications. */
export interface SlotInventory {
  readonly publications: readonly { readonly name: string; readonly comment: string | null }[]
  /** Of this database. */
  readonly slots: readonly SlotFacts[]
}

export interface SlotFacts {
  readonly name: string
  readonly plugin: string | null
  readonly temporary: boolean
  readonly active: boolean
  readonly retained: number | null
  readonly inactiveSince: string | null
}

/** What Tidemark made and nobody uses any more. */
export interface PostgresOrphan {
  readonly slot: string
  /** Whether the slot is there still; a publication alone costs nothing but its name. */
  readonly hasSlot: boolean
  /** Those that were made with it. */
  readonly publications: readonly string[]
  /** What the server keeps of its log for the slot. */
  readonly retainedBytes: number
  /** Since when nobody reads it, in milliseconds since 1970; `undefined` before PostgreSQL 17, which does not say. */
  readonly inactiveSinceMs: number | undefined
}

/** By slot: marked by a publication, not in use, and read by nobody. A slot of the name that is of another kind is another's. */
export function findOrphans({ publications, slots }: SlotInventory, inUse: readonly string[]): readonly PostgresOrphan[] {
  const marked = new Map<string, string[]>()
  for (const { name, comment } of publications) {
    const slot = parseMark(comment)?.slot
    if (slot !== undefined && !inUse.includes(slot)) marked.set(slot, [...marked.get(slot) ?? [], name])
  }
  return [...marked].flatMap(([slot, names]) => {
    const found = slots.find(({ name }) => name === slot)
    return found !== undefined && !isOrphan(found) ? [] : [toOrphan(slot, names, found)]
  })
}

function isOrphan({ plugin, temporary, active }: SlotFacts): boolean {
  return plugin === 'pgoutput' && !temporary && !active
}

function toOrphan(slot: string, publications: readonly string[], found: SlotFacts | undefined): PostgresOrphan {
  const since = found?.inactiveSince ?? undefined
  return { slot, publications, hasSlot: found !== undefined, retainedBytes: found?.retained ?? 0, inactiveSinceMs: since === undefined ? undefined : Number(since) }
}
