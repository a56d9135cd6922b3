import { hostname } from 'node:os'
import { Replicator, TidemarkError, type Replication, type TargetDialect } from '@tidemark/core'
import { usageError } from './faults.ts'

export interface MakeReplicatorOptions {
  readonly target: TargetDialect
  readonly replications: readonly Replication[]
  readonly tablePrefix: string | undefined
}

/** The option of the command line behind each option of the library. */
const FLAG_OF: Readonly<Record<string, string>> = {
  name: '--table', sourceTable: '--table', targetTable: '--table', trackingColumn: '--tracking', key: '--key', columns: '--columns',
  syncIntervalMinutes: '--every', tablePrefix: '--prefix', concurrency: '--concurrency',
}

/** A replicator whose complaints about options name the command line's. Errors: `CONFIG_INVALID`. */
export function makeReplicator(options: MakeReplicatorOptions): Replicator {
  try {
    // The host's name, not a random one: a run that was killed left a lease, and the next one takes it back at once.
    return new Replicator({ ...options, instance: `cli:${hostname()}`, jitter: 0 })
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'CONFIG_INVALID') throw error
    throw usageError(error.issues.map(({ path, message }) => flagIssue(path, message, options.replications)))
  }
}

function flagIssue(path: string, message: string, replications: readonly Replication[]): { readonly path: string; readonly message: string } {
  const [, index, option = path] = /^replications\[(\d+)\]\.([A-Za-z]+)/.exec(path) ?? []
  const table = index === undefined ? undefined : replications[Number(index)]?.sourceTable
  const flag = FLAG_OF[option] ?? path
  const readable = message.replace(/replications\[(\d+)\]/g, (whole, other: string) => replications[Number(other)]?.sourceTable ?? whole)
  return { path: table === undefined ? flag : `${flag} (${table})`, message: readable }
}
