import type { AbortOptions } from '@tidemark/core/adapter'
import type { ExportTransaction } from '../export-transaction.ts'
import { foreignKeysSql, indexesSql, indexPartitionsSql, keysSql, policiesSql, tableSettingsSql } from './constraint-definitions.ts'
import type { DefinitionScope } from './definition-scope.ts'
import { programsSql } from './program-definitions.ts'
import { partitionsSql, sequenceOwnersSql, sequenceReadsSql, sequencesSql, tablesSql } from './table-definitions.ts'
import { EXTENSIONS, SCHEMAS, TYPES, UNDEFINED_THINGS } from './type-definitions.ts'
import { COMMENTS, inOrder, TRIGGERS, VIEWS } from './view-definitions.ts'

export interface Definitions {
  readonly before: readonly string[]
  readonly after: readonly string[]
  /** What sequences stand at: data, also where definitions are left out. */
  readonly counters: readonly string[]
  readonly notes: readonly string[]
}

const NOTES = ['Owners, privileges and tablespaces are not kept.', 'Sequences are as they were when they were read: no snapshot holds them still.']

/** Of a dump of rows alone. */
export async function readCountersOnly(transaction: ExportTransaction, scope: DefinitionScope, options: AbortOptions): Promise<Definitions> {
  return { before: [], after: [], counters: await readCounters(transaction, scope, options), notes: [] }
}

/** In the order in which psql can run them: rows come between tables and keys. */
export async function readDefinitions(transaction: ExportTransaction, scope: DefinitionScope, options: AbortOptions): Promise<Definitions> {
  const texts = (sql: string): Promise<readonly string[]> => transaction.texts(sql, options)
  const whole = async (sql: string): Promise<readonly string[]> => (scope.isWhole ? await texts(sql) : [])
  const views = scope.isWhole ? await transaction.rows(VIEWS, options) : []
  return {
    before: [
      ...await texts(SCHEMAS), ...await texts(EXTENSIONS), ...await texts(TYPES), ...await whole(programsSql(false)),
      ...await texts(sequencesSql(scope)), ...await texts(tablesSql(scope)), ...await texts(sequenceOwnersSql(scope)), ...await texts(partitionsSql(scope)), ...await whole(programsSql(true)),
    ],
    after: [
      ...await texts(keysSql(scope)), ...inOrder(views), ...await texts(indexesSql(scope)), ...await texts(indexPartitionsSql(scope)), ...await texts(foreignKeysSql(scope)),
      ...views.flatMap(([, , , refresh]) => refresh ?? []), ...await whole(TRIGGERS), ...await texts(tableSettingsSql(scope)), ...await texts(policiesSql(scope)), ...await whole(COMMENTS),
    ],
    counters: await readCounters(transaction, scope, options),
    notes: [...NOTES, ...await whole(UNDEFINED_THINGS), ...(scope.isWhole ? [] : ['Views, functions, triggers and comments are left out of a dump of named tables.'])],
  }
}

async function readCounters(transaction: ExportTransaction, scope: DefinitionScope, options: AbortOptions): Promise<readonly string[]> {
  const reads = await transaction.texts(sequenceReadsSql(scope), options)
  const counters: string[] = []
  for (const read of reads) counters.push(...await transaction.texts(read, options))
  return counters
}
