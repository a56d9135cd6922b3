import type { PostgresTailLocation } from './tail-options.ts'

/** Of a tail without a slot of its own: when it began, and what keeps two of a moment apart. */
const TEMPORARY = /^tidemark_tail_([0-9a-z]{8})_[0-9a-f]{8}$/
/** One that began just now has its publication before it has its slot. */
const MIN_AGE_MS = 3_600_000

export function temporaryTailName(nowMs: number, random: string): string {
  return `tidemark_tail_${nowMs.toString(36).padStart(8, '0')}_${random.slice(0, 8)}`
}

/** Whether a tail of that name has had time to make its slot, and would have it. */
export function isLeftover({ slot, hasSlot }: { readonly slot: string; readonly hasSlot: boolean }, nowMs: number): boolean {
  const began = TEMPORARY.exec(slot)?.[1]
  return !hasSlot && began !== undefined && nowMs - Number.parseInt(began, 36) >= MIN_AGE_MS
}

/** Drops the publications of tails that were killed: their slots went with their connections. A user who may not is no reason not to tail. */
export async function dropTailLeftovers({ url, tls }: PostgresTailLocation, signal: AbortSignal): Promise<void> {
  const { postgresChanges, postgresJanitor } = await import('@tidemark/postgres')
  try {
    for (const orphan of await postgresJanitor({ url, tls, inUse: [] }).list({ signal })) {
      if (isLeftover(orphan, Date.now())) await postgresChanges({ url, tls, slot: orphan.slot, tables: ['-'] }).drop({ signal })
    }
  } catch {
    // The tail itself says what is wrong with the server.
  }
}
