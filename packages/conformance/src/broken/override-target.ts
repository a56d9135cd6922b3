import type { TargetConnection, TargetDialect } from '@tidemark/core/adapter'

type Changes = (connection: TargetConnection) => Partial<TargetConnection>

/** A target whose connections differ in the methods given. */
export function overrideTarget(target: TargetDialect, changes: Changes): TargetDialect {
  return { ...target, connect: async (options) => overrideConnection(await target.connect(options), changes) }
}

function overrideConnection(connection: TargetConnection, changes: Changes): TargetConnection {
  return {
    ledger: connection.ledger,
    inspectTable: (name, options) => connection.inspectTable(name, options),
    createTable: (table, commit, options) => connection.createTable(table, commit, options),
    apply: (batch, commit, options) => connection.apply(batch, commit, options),
    save: (commit, options) => connection.save(commit, options),
    openLoad: (table, options) => connection.openLoad(table, options),
    publishLoad: (table, commit, options) => connection.publishLoad(table, commit, options),
    discardLoad: (name) => connection.discardLoad(name),
    addColumns: (table, added, commit, options) => connection.addColumns(table, added, commit, options),
    alterColumns: (table, previous, commit, options) => connection.alterColumns(table, previous, commit, options),
    readRows: (request) => connection.readRows(request),
    findRows: (request) => connection.findRows(request),
    dropTable: (name) => connection.dropTable(name),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
    ...changes(connection),
  }
}
