import type { Replication, SourceDialect } from '@tidemark/core'
import { choice } from './connection-options.ts'
import type { Faults } from './faults.ts'
import type { Flags } from './flags.ts'
import { parseScoped, parseTableOption, scopedFor, type ScopedValue, type TableOption } from './table-option.ts'

/** What the table options say, before the source is known. */
export interface TableOptions {
  readonly tables: readonly TableOption[]
  readonly tracking: readonly ScopedValue[]
  readonly keys: readonly ScopedValue[]
  readonly columns: readonly ScopedValue[]
  readonly mode: 'incremental' | 'full' | undefined
  readonly nullTracking: 'error' | 'include' | 'exclude' | undefined
  readonly schemaPolicy: 'follow' | 'stop' | 'rebuild' | undefined
}

export function tableOptions(flags: Flags, faults: Faults): TableOptions {
  if (!flags.has('table')) faults.add('--table', 'Is missing; it may be given several times.')
  const tables = flags.all('table').filter((text) => text !== '').flatMap((text) => {
    const table = parseTableOption(text)
    if (table === undefined) faults.add('--table', 'Must be a table, or table=copy.')
    return table ?? []
  })
  const scoped = (name: string): readonly ScopedValue[] => scopedValues(flags, { name, tables, faults })
  const options = {
    tables,
    tracking: scoped('tracking'),
    keys: scoped('key'),
    columns: scoped('columns'),
    mode: choice(flags, { name: 'mode', choices: ['incremental', 'full'], faults }),
    nullTracking: choice(flags, { name: 'null-tracking', choices: ['error', 'include', 'exclude'], faults }),
    schemaPolicy: choice(flags, { name: 'on-schema-change', choices: ['follow', 'stop', 'rebuild'], faults }),
  }
  if (options.mode === 'full' && options.tracking.length > 0) faults.add('--tracking', 'Has no meaning with --mode full.')
  return options
}

function scopedValues(
  flags: Flags, rule: { readonly name: string; readonly tables: readonly TableOption[]; readonly faults: Faults },
): readonly ScopedValue[] {
  const { name, tables, faults } = rule
  const values = flags.all(name).filter((text) => text !== '').map((text) => parseScoped(text, tables))
  const scopes = values.map((value) => value.table)
  scopes.filter((scope, index) => scopes.indexOf(scope) !== index).forEach((scope) => {
    faults.add(`--${name}`, scope === undefined ? 'Is given twice for all tables.' : `Is given twice for ${scope}.`)
  })
  return values
}

export interface ReplicationSettings {
  readonly source: SourceDialect
  /** `undefined`: only when asked. */
  readonly everyMs: number | undefined
}

const MS_PER_MINUTE = 60_000

/**
 * One replication per table. It is named after its copy, so that the same command finds its checkpoint again.
 * A table name that the source refuses is a fault.
 */
export async function replicationsOf(options: TableOptions, settings: ReplicationSettings, faults: Faults): Promise<readonly Replication[]> {
  const named = await Promise.all(options.tables.map(async (table) => ({
    table,
    name: table.target ?? (await faults.collect('--table', () => settings.source.parseTable(table.source)))?.name ?? '',
  })))
  const { everyMs, source } = settings
  return named.map(({ table, name }) => ({
    name,
    source,
    sourceTable: table.source,
    targetTable: name,
    trackingColumn: scopedFor(table, options.tracking),
    mode: options.mode,
    key: listFor(table, options.keys),
    columns: listFor(table, options.columns),
    nullTracking: options.nullTracking,
    schemaPolicy: options.schemaPolicy,
    // Naming a table on the command line is asking for it, also when an application has paused it.
    isActive: true,
    ...everyMs === undefined ? { schedule: 'manual' } : { syncIntervalMinutes: everyMs / MS_PER_MINUTE },
  }))
}

function listFor(table: TableOption, values: readonly ScopedValue[]): readonly string[] | undefined {
  return scopedFor(table, values)?.split(',').map((name) => name.trim())
}
