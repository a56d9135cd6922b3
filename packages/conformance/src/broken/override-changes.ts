import type { ChangeConnection, ChangeSource } from '@tidemark/core/adapter'

type Changes = (connection: ChangeConnection) => Partial<ChangeConnection>

/** A source whose connections differ in the methods given. */
export function overrideChanges(source: ChangeSource, changes: Changes): ChangeSource {
  return { ...source, connect: async (options) => overrideConnection(await source.connect(options), changes) }
}

function overrideConnection(connection: ChangeConnection, changes: Changes): ChangeConnection {
  const { readChunk } = connection
  return {
    leases: connection.leases,
    tables: (options) => connection.tables(options),
    head: (options) => connection.head(options),
    verify: (position, options) => connection.verify(position, options),
    readChanges: (request) => connection.readChanges(request),
    ...(readChunk === undefined ? {} : { readChunk: readChunk.bind(connection) }),
    onWake: (listener) => connection.onWake(listener),
    retain: (request) => connection.retain(request),
    release: (consumer, options) => connection.release(consumer, options),
    retained: (consumer, options) => connection.retained(consumer, options),
    purge: (options) => connection.purge(options),
    lag: (position, options) => connection.lag(position, options),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
    ...changes(connection),
  }
}
