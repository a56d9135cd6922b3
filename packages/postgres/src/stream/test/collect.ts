import type { ChangeEvent } from '@tidemark/core/adapter'
import type { ChangeBatch, ChangeStream } from '@tidemark/core'

/** Batches of a subscriber, to wait for. */
export class Collected {
  readonly batches: ChangeBatch[] = []
  #waiters: (() => void)[] = []

  get events(): readonly ChangeEvent[] {
    return this.batches.flatMap((batch) => batch.events)
  }

  add(batch: ChangeBatch): void {
    this.batches.push(batch)
    for (const wake of this.#waiters.splice(0)) wake()
  }

  /** The test's own time limit bounds it. */
  async until(predicate: (events: readonly ChangeEvent[]) => boolean): Promise<readonly ChangeEvent[]> {
    while (!predicate(this.events)) await new Promise<void>((resolve) => void this.#waiters.push(resolve))
    return this.events
  }

  count(count: number): Promise<readonly ChangeEvent[]> {
    return this.until((events) => events.length >= count)
  }
}

export async function collect(stream: ChangeStream, id = 'reader'): Promise<Collected> {
  const collected = new Collected()
  await stream.subscribe({ id }, (batch) => collected.add(batch))
  return collected
}

/** `insert 1`, `delete 2`. */
export function brief(events: readonly ChangeEvent[]): readonly string[] {
  return events.map((event) => `${event.op} ${String(event.key?.['id'])}`)
}
