import type {
  AbortOptions, ApplyResult, Commit, Fence, Ledger, RowValues, TableLoad, TargetConnection, TargetDialect, TargetTable, Value, WriteBatch,
} from '@tidemark/core/adapter'
import { cell } from '../assert/cell.ts'
import { indexOf } from '../memory/memory-table-rows.ts'
import type { MemoryTargetStore } from '../memory/memory-target-store.ts'
import { overrideTarget } from './override-target.ts'

/** A mistake that adapters make, and the cases that have to notice it: these and no others. */
export interface BrokenTarget {
  readonly name: string
  readonly wrap: (target: TargetDialect, store: MemoryTargetStore) => TargetDialect
  readonly fails: readonly string[]
}

export const BROKEN_TARGETS: readonly BrokenTarget[] = [
  {
    name: 'writes the checkpoint of rows that failed',
    wrap: changing((connection) => ({
      apply: (batch, commit, options) => connection.apply(batch, commit, options).catch(async (error: unknown) => {
        await connection.save(commit, options).catch(() => {})
        throw error
      }),
    })),
    fails: ['TGT-20', 'TGT-22'],
  },
  {
    name: 'writes rows without their checkpoint',
    wrap: changing((connection) => ({ apply: (batch, commit, options) => connection.apply(batch, { ...commit, checkpoint: { ...commit.checkpoint, name: 'nobody' } }, options) })),
    fails: [
      'TGT-02', 'TGT-08', 'TGT-10', 'TGT-19', 'TGT-20', 'TGT-35.apply', 'TGT-35.save', 'TGT-35.createTable',
      'TGT-35.openLoad', 'TGT-35.load.commit', 'TGT-35.addColumns', 'TGT-35.alterColumns', 'TGT-49', 'TGT-81.*', 'TGT-82.*', 'TGT-87',
    ],
  },
  { name: 'ignores the fence', wrap: changing(ignoreFence), fails: ['TGT-35.apply', 'TGT-35.save', 'TGT-36'] },
  {
    name: 'shows a load before it is published',
    wrap: (target, store) => overrideTarget(target, (connection) => ({
      openLoad: async (table, options) => afterCommit(await connection.openLoad(table, options), () => showStaged(store, table.name)),
    })),
    fails: ['TGT-35.publishLoad', 'TGT-40', 'TGT-44', 'TGT-48'],
  },
  { name: 'replaces a row by deleting it first', wrap: changing((connection) => ({ apply: (batch, commit, options) => replaceRows(connection, batch, { commit, options }) })), fails: ['TGT-12'] },
  {
    name: 'counts equal rows as changed',
    wrap: changing((connection) => ({
      apply: async (batch, commit, options) => ({ ...(await connection.apply(batch, commit, options)), changed: batch.upserts.length }),
    })),
    fails: ['TGT-11', 'TGT-14', 'TGT-16.*', 'TGT-50.*'],
  },
  {
    name: 'upserts before it deletes',
    wrap: changing((connection) => ({
      apply: async (batch, commit, options) => {
        const { changed } = await connection.apply({ ...batch, deletes: [] }, commit, options)
        return { changed, deleted: (await connection.apply({ ...batch, upserts: [] }, commit, options)).deleted }
      },
    })),
    fails: ['TGT-13'],
  },
  { name: 'lets text that looks like a number become one', wrap: changing(numericAffinity), fails: [
      'TGT-16.text', 'TGT-16.decimal', 'TGT-16.json', 'TGT-17', 'TGT-50.text', 'TGT-50.decimal', 'TGT-50.json',
    ] },
  {
    name: 'begins a load anew instead of going on',
    wrap: changing((connection) => ({ openLoad: (table, options) => connection.openLoad(table, { ...options, resume: false }) })),
    fails: ['TGT-41', 'TGT-42', 'TGT-48'],
  },
  {
    name: 'loses the user\'s indexes when it publishes',
    wrap: (target, store) => overrideTarget(target, (connection) => ({
      publishLoad: async (table, commit, options) => {
        await connection.publishLoad(table, commit, options)
        store.transaction((draft) => {
          const stored = draft.tables.get(table.name)
          if (stored !== undefined) draft.tables.set(table.name, { ...stored, userIndexes: [] })
        })
      },
    })),
    fails: ['TGT-46'],
  },
  {
    name: 'follows columns by name',
    wrap: changing((connection) => ({
      alterColumns: (table, previous, commit, options) => {
        const byName = previous.map((column) => ({ ...column, ordinal: table.columns.find((one) => one.name === column.name)?.ordinal ?? -1 }))
        return connection.alterColumns(table, byName, commit, options)
      },
    })),
    fails: ['TGT-61', 'TGT-62', 'TGT-64', 'TGT-65'],
  },
  { name: 'renews a lease that was taken over', wrap: changing((connection) => withLedger(connection, { renewLease: async () => true })), fails: ['TGT-32', 'TGT-80.ledger.renewLease'] },
  {
    name: 'forgets the checkpoint when a configuration is saved',
    wrap: changing(({ ledger }) => withLedger({ ledger }, {
      saveReplication: async (record, nowMs) => {
        await ledger.removeReplication(record.name)
        await ledger.saveReplication(record, nowMs)
      },
    })),
    fails: ['TGT-02', 'TGT-41', 'TGT-71'],
  },
  {
    name: 'never shortens the run log',
    wrap: changing(({ ledger }) => withLedger({ ledger }, {
      appendRun: (entry) => ledger.appendRun(entry, { maxAgeMs: Number.MAX_SAFE_INTEGER, maxEntries: Number.MAX_SAFE_INTEGER }),
    })),
    fails: ['TGT-75'],
  },
  {
    name: 'pages its own table from the key on',
    wrap: changing((connection) => ({
      readRows: async (request) => {
        const at = request.after === undefined ? [] : await connection.findRows({ ...request, keys: [request.after] })
        return [...at, ...(await connection.readRows(request))].slice(0, request.limit)
      },
    })),
    fails: ['TGT-25'],
  },
]

function changing(changes: (connection: TargetConnection) => Partial<TargetConnection>): BrokenTarget['wrap'] {
  return (target) => overrideTarget(target, changes)
}

function withLedger({ ledger }: { readonly ledger: Ledger }, changes: Partial<Ledger>): Partial<TargetConnection> {
  return {
    ledger: {
      saveReplication: (record, nowMs) => ledger.saveReplication(record, nowMs),
      readReplication: (name) => ledger.readReplication(name),
      listReplications: () => ledger.listReplications(),
      removeReplication: (name) => ledger.removeReplication(name),
      appendRun: (entry, limits) => ledger.appendRun(entry, limits),
      readRuns: (query) => ledger.readRuns(query),
      acquireLease: (request) => ledger.acquireLease(request),
      renewLease: (fence, request) => ledger.renewLease(fence, request),
      releaseLease: (fence) => ledger.releaseLease(fence),
      ...changes,
    },
  }
}

/** Every write goes out under the newest fence of this connection, whatever the caller holds. */
function ignoreFence(connection: TargetConnection): Partial<TargetConnection> {
  let newest: Fence | undefined
  const forge = (commit: Commit): Commit => ({ ...commit, fence: newest ?? commit.fence })
  return {
    ...withLedger(connection, {
      acquireLease: async (request) => {
        const fence = await connection.ledger.acquireLease(request)
        newest = fence ?? newest
        return fence
      },
    }),
    apply: (batch, commit, options) => connection.apply(batch, forge(commit), options),
    save: (commit, options) => connection.save(forge(commit), options),
  }
}

/** A load that does something more after each commit. */
function afterCommit(load: TableLoad, then: () => void): TableLoad {
  const commit = load.commit.bind(load)
  load.commit = async (given) => {
    await commit(given)
    then()
  }
  return load
}

function showStaged(store: MemoryTargetStore, name: string): void {
  store.transaction((draft) => {
    const staged = draft.staged.get(name)
    if (staged !== undefined) draft.tables.set(name, { ...staged, userIndexes: draft.tables.get(name)?.userIndexes ?? [], triggers: draft.tables.get(name)?.triggers ?? [] })
  })
}

interface Writing {
  readonly commit: Commit
  readonly options: AbortOptions | undefined
}

async function replaceRows(connection: TargetConnection, batch: WriteBatch, { commit, options }: Writing): Promise<ApplyResult> {
  const { table } = batch
  const keyOf = (row: RowValues): RowValues => table.key.map((name) => row[indexOf(table, name)] ?? null)
  const columns = table.columns.map((column) => column.name)
  const existing = await connection.findRows({ table, columns, keys: batch.upserts.map(keyOf), ...options })
  const isEqual = new Set(existing.map((row) => lineOf(table, row)))
  const known = new Set(existing.map((row) => JSON.stringify(keyOf(row).map(String))))
  const given = new Set(batch.deletes.map((key) => JSON.stringify(key.map(String))))
  const replaced = batch.upserts.filter((row) => !isEqual.has(lineOf(table, row))).map(keyOf)
    .filter((key) => known.has(JSON.stringify(key.map(String))) && !given.has(JSON.stringify(key.map(String))))
  const result = await connection.apply({ ...batch, deletes: [...batch.deletes, ...replaced] }, commit, options)
  return { changed: result.changed, deleted: result.deleted - replaced.length }
}

function lineOf(table: TargetTable, row: RowValues): string {
  return row.map((value, index) => cell(value, table.columns[index]?.storage ?? 'text')).join(' | ')
}

/** What a column declared with the source's type name does to text. */
function numericAffinity(connection: TargetConnection): Partial<TargetConnection> {
  const bend = (value: Value): Value => (typeof value === 'string' && /^\d+(?:\.\d+)?$/u.test(value) ? Number(value) : value)
  return { apply: (batch, commit, options) => connection.apply({ ...batch, upserts: batch.upserts.map((row) => row.map(bend)) }, commit, options) }
}
