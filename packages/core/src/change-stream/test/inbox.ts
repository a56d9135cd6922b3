import type { ChangeBatch } from '../../change/change-batch.ts'
import type { ChangeEvent } from '../../change/change-event.ts'

/** A handler that keeps what it gets, and lets a test wait for it. */
export class Inbox {
  readonly batches: ChangeBatch[] = []
  #waiters: { readonly isMet: () => boolean; readonly resolve: () => void }[] = []

  readonly handler = (batch: ChangeBatch): void => {
    this.batches.push(batch)
    const met = this.#waiters.filter(({ isMet }) => isMet())
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter))
    for (const { resolve } of met) resolve()
  }

  get events(): readonly ChangeEvent[] {
    return this.batches.flatMap(({ events }) => events)
  }

  /** `users:1=a`, `users:1-`, and with a star for a row of a snapshot. */
  get log(): readonly string[] {
    return this.events.map(({ table, key, op, after }) => `${table}:${String(key?.['id'])}${after === null ? '-' : `=${String(after['value'])}`}${op === 'snapshot' ? '*' : ''}`)
  }

  /** The state that the events lead to, applied as upserts. */
  get rows(): ReadonlyMap<string, string> {
    const rows = new Map<string, string>()
    for (const { table, key, after } of this.events) {
      const id = `${table}:${String(key?.['id'])}`
      if (after === null) rows.delete(id)
      else rows.set(id, String(after['value']))
    }
    return rows
  }

  until(isMet: () => boolean): Promise<void> {
    return isMet() ? Promise.resolve() : new Promise((resolve) => void this.#waiters.push({ isMet, resolve }))
  }

  /** Waits for this many events. */
  count(events: number): Promise<void> {
    return this.until(() => this.events.length >= events)
  }
}
