import { isOfLog, logNames } from '../capture/log-names.ts'
import { quote } from '../quote.ts'
import { requireTablePrefix } from '../require-plain-name.ts'

/** The tables that a receiver keeps in its database, quoted. */
export interface PeerNames {
  /** Up to where each sender's log has been applied. */
  readonly senders: string
  /** How each table of each sender stands, where it is not simply live. */
  readonly tables: string
  /** Up to where tables of instances that do not send here themselves have come by others. */
  readonly relayed: string
  /** Parts of transactions that have not ended. */
  readonly parts: string
  /** Keys of the rows that a copy has brought into a table which had rows before. */
  readonly copied: string
  /** Of rows, where several instances write. */
  readonly versions: string
  /** Index of those that are gone. */
  readonly gone: string
  /** Up to where changes of the log have one version. */
  readonly stamps: string
  readonly clock: string
  /** Has a row while a sender's change is being applied. */
  readonly applying: string
  /** Prefix of the triggers that refuse local writes. */
  readonly guard: string
}

/** Whether a table is one of the receiver's own, of its change log or of SQLite itself: what it keeps there is nobody else's to write. */
export function isReserved(table: string, { names, log }: { readonly names: PeerNames; readonly log: string }): boolean {
  const name = table.toLowerCase()
  const own = names.guard.slice(0, -GUARD.length).toLowerCase()
  return name.startsWith('sqlite_') || name.startsWith(own) || isOfLog(logNames(log), table)
}

const GUARD = 'guard'

/** Errors: `CONFIG_INVALID` for a prefix that is no plain name. */
export function peerNames(prefix: string): PeerNames {
  requireTablePrefix(prefix)
  return {
    senders: quote(`${prefix}peer_senders`),
    tables: quote(`${prefix}peer_tables`),
    relayed: quote(`${prefix}peer_relayed`),
    parts: quote(`${prefix}peer_parts`),
    copied: quote(`${prefix}peer_copied`),
    versions: quote(`${prefix}peer_versions`),
    gone: quote(`${prefix}peer_versions_gone`),
    stamps: quote(`${prefix}peer_stamps`),
    clock: quote(`${prefix}peer_clock`),
    applying: quote(`${prefix}peer_applying`),
    guard: `${prefix}peer_${GUARD}`,
  }
}
