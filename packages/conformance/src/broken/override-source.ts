import type { SourceConnection, SourceDialect } from '@tidemark/core/adapter'

type Changes = (connection: SourceConnection) => Partial<SourceConnection>

/** A source whose connections differ in the methods given. */
export function overrideSource(source: SourceDialect, changes: Changes): SourceDialect {
  return { ...source, connect: async (options) => overrideConnection(await source.connect(options), changes) }
}

function overrideConnection(connection: SourceConnection, changes: Changes): SourceConnection {
  const { streamRows, diagnose } = connection
  return {
    describeTable: (ref, options) => connection.describeTable(ref, options),
    readRows: (request) => connection.readRows(request),
    readRowsByKey: (request) => connection.readRowsByKey(request),
    readHighMark: (request) => connection.readHighMark(request),
    ...(streamRows === undefined ? {} : { streamRows: streamRows.bind(connection) }),
    ...(diagnose === undefined ? {} : { diagnose: diagnose.bind(connection) }),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
    ...changes(connection),
  }
}
