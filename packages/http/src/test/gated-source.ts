import type { SourceConnection, SourceDialect, TableSchema } from '@tidemark/core/adapter'
import { firstOf } from './first-of.ts'

export interface GateOptions {
  /** Pages that come at once; the others wait until the signal fires. */
  readonly pages: number
  readonly open: AbortSignal
  /** As a server that keeps statistics would say. */
  readonly estimatedRows: number
}

/** A real source that stops in the middle of a load, so that a load can be looked at. */
export function gatedSource(source: SourceDialect, options: GateOptions): SourceDialect {
  return {
    name: source.name,
    address: source.address,
    capabilities: { ...source.capabilities, streamsRows: false, diagnoses: false },
    parseTable: (name) => source.parseTable(name),
    connect: async (connecting) => gatedConnection(await source.connect(connecting), options),
  }
}

function gatedConnection(connection: SourceConnection, { pages, open, estimatedRows }: GateOptions): SourceConnection {
  let read = 0
  return {
    describeTable: async (table, options): Promise<TableSchema> => ({ ...await connection.describeTable(table, options), estimatedRows }),
    readRows: async (request) => {
      read += 1
      if (read > pages) await firstOf([open, request.signal])
      return connection.readRows(request)
    },
    readRowsByKey: (request) => connection.readRowsByKey(request),
    readHighMark: (request) => connection.readHighMark(request),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}
