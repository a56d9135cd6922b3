import { quote } from '../quote.ts'
import { requirePlainName } from '../require-plain-name.ts'

/** The tables of one log, quoted. */
export interface LogNames {
  /** As the user chose it: the prefix of everything the log keeps in the database. */
  readonly prefix: string
  /** The changes, one row each, in commit order. */
  readonly log: string
  readonly meta: string
  /** Every shape that a captured table has had since the log was made: what the columns of its rows in the log mean. */
  readonly layouts: string
  /** Rows that a write may replace, for the time of that write. */
  readonly notes: string
  readonly consumers: string
  readonly leases: string
  /** Tells whether VACUUM has numbered rows anew. */
  readonly watch: string
}

/** Errors: `CONFIG_INVALID` for a prefix that is no plain name. */
export function logNames(prefix: string): LogNames {
  requirePlainName(prefix, { path: 'log', what: 'The name of a change log' })
  return {
    prefix,
    log: quote(`${prefix}_log`),
    meta: quote(`${prefix}_log_meta`),
    layouts: quote(`${prefix}_log_layouts`),
    notes: quote(`${prefix}_log_notes`),
    consumers: quote(`${prefix}_log_consumers`),
    leases: quote(`${prefix}_log_leases`),
    watch: quote(`${prefix}_log_watch`),
  }
}

/** Whether a table or trigger belongs to the log. */
export function isOfLog(names: LogNames, name: string): boolean {
  const prefix = `${names.prefix}_log`.toLowerCase()
  return name.toLowerCase() === prefix || name.toLowerCase().startsWith(`${prefix}_`)
}

/** What a trigger does, as the end of its name. */
export type TriggerRole = 'insert' | 'update' | 'delete' | 'note_insert' | 'note_update' | 'note_move'

/** Numbered by layout and not named after the table, whose name may be longer than sense or change. */
export function triggerName(names: LogNames, layoutId: number, role: TriggerRole): string {
  return quote(`${names.prefix}_log_${layoutId}_${role}`)
}

const ANY_LOG = /^(.+)_log_\d+_(?:insert|update|delete|note_insert|note_update|note_move)$/

/**
 * Whether the trigger belongs to some log, this one or another of the same database. They write to their logs alone, so that it does
 * not matter which of them fires first.
 */
export function isLogTrigger(trigger: { readonly name: string; readonly sql: string }): boolean {
  const match = ANY_LOG.exec(trigger.name)
  const log = `${match?.[1] ?? ''}_log`
  return match !== null && (trigger.sql.includes(quote(log)) || trigger.sql.includes(quote(`${log}_notes`)))
}

/** The prefix of the log that a trigger writes to, by its name; ask `isLogTrigger` first. */
export function logOfTrigger(name: string): string | undefined {
  return ANY_LOG.exec(name)?.[1]
}

/** The layout of one of our triggers, or `undefined` for somebody else's. */
export function layoutOfTrigger(names: LogNames, trigger: string): number | undefined {
  const prefix = `${names.prefix}_log_`
  const match = trigger.startsWith(prefix) ? /^(\d+)_[a-z_]+$/.exec(trigger.slice(prefix.length)) : null
  return match === null ? undefined : Number(match[1])
}
