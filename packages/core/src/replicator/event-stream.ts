import type { Emitter } from '../events/emitter.ts'
import type { ReplicatorEvent, ReplicatorEvents } from './replicator-events.ts'

/** Every event name, so that a new one can't be left out of the stream. */
const NAMES = Object.keys({
  'sync:start': true, 'sync:progress': true, 'sync:success': true, 'sync:error': true, 'sync:retry': true, 'sync:skipped': true,
  'schema:changed': true, 'cursor:ahead': true, 'drift:found': true, 'reconcile:success': true, 'status:change': true,
} satisfies Record<keyof ReplicatorEvents, true>) as (keyof ReplicatorEvents)[] // Object.keys forgets the key type

const MAX_BUFFERED = 10_000

/** The events as an async iterable. Listens from the first `next()` until the signal fires or the reader leaves. */
export async function* eventStream(emitter: Emitter<ReplicatorEvents>, signal: AbortSignal | undefined): AsyncGenerator<ReplicatorEvent> {
  const buffer: ReplicatorEvent[] = []
  let wake: () => void = () => undefined
  const push = (event: ReplicatorEvent): void => {
    if (buffer.length === MAX_BUFFERED) buffer.shift()
    buffer.push(event)
    wake()
  }
  // One name at a time the pair is right; TypeScript can't see that for the union of all names.
  const listeners = NAMES.map((type) => emitter.on(type, (payload) => push({ type, payload } as ReplicatorEvent)))
  const onAbort = (): void => wake()
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    while (signal?.aborted !== true) {
      const event = buffer.shift()
      if (event !== undefined) yield event
      else await new Promise<void>((resolve) => { wake = resolve })
    }
  } finally {
    for (const unsubscribe of listeners) unsubscribe()
    signal?.removeEventListener('abort', onAbort)
  }
}
