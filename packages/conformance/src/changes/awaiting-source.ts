import type { ChangeConnection, ChangeSlice, ChangeSource, ReadChangesRequest } from '@tidemark/core/adapter'

/** Between two looks at a log that has brought nothing yet. */
const LOOK_MS = 5

/**
 * A source whose log is sent to its one reader, and not looked up: what is committed comes a moment later, and a read that brings nothing is not yet the log's end. The
 * suite asks what is there now. Here a read waits for where the log ended when it began; all else is the source's own.
 */
export function awaitingSource(source: ChangeSource): ChangeSource {
  return { ...source, connect: async (options) => awaiting(await source.connect(options)) }
}

function awaiting(connection: ChangeConnection): ChangeConnection {
  return new Proxy(connection, {
    get: (target, name) => {
      if (name === 'readChanges') return (request: ReadChangesRequest) => readThrough(target, request)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) as unknown : value
    },
  })
}

async function readThrough(connection: ChangeConnection, request: ReadChangesRequest): Promise<ChangeSlice> {
  const head = await connection.head({ signal: request.signal })
  for (;;) {
    const slice = await connection.readChanges(request)
    const isLast = slice.isLast && (slice.position.epoch !== head.epoch || slice.position.sequence >= head.sequence)
    if (isLast || slice.events.length > 0 || slice.schemas.length > 0 || !slice.begin) return { ...slice, isLast }
    // A log that has moved without a change is gone on from there; a reader that stands still looks again.
    if (slice.position.sequence !== request.after.sequence) return { ...slice, isLast }
    await new Promise<void>((resolve) => void setTimeout(() => resolve(), LOOK_MS))
  }
}
