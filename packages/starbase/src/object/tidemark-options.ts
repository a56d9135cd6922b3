import type { ExporterOptions, Logger, PropagatorOptions, ReceiverOptions, ReplicatorOptions } from '@tidemark/core'
import type { HandlerOptions } from '@tidemark/http'
import type { SqliteChangesOptions } from '@tidemark/sqlite'

/** What runs in an instance. What is left out has no routes. */
export interface TidemarkOptions {
  /** Tables of other databases that are kept copied into the instance. */
  readonly replication?: ReplicationSettings | undefined
  /** Dumps of the instance, and loading them again. */
  readonly exports?: ExportSettings | undefined
  /** What of the instance's changes is captured, for `/changes`, `/cdc` and propagation. Default `retention`: the last 100,000 changes. */
  readonly changes?: Omit<SqliteChangesOptions, 'log'> | undefined
  /** Where the instance's writes go. */
  readonly propagation?: Omit<PropagatorOptions, 'source' | 'target' | 'conflicts' | 'log' | 'logger'> | undefined
  /** Who may write here by propagation, at `POST /propagate`. */
  readonly receiver?: Omit<ReceiverOptions, 'target' | 'conflicts' | 'log' | 'logger'> | undefined
  /** Default: silent. */
  readonly logger?: Logger | undefined
}

export interface ReplicationSettings extends Omit<ReplicatorOptions, 'target' | 'instance' | 'tablePrefix' | 'logger'> {
  /** What `POST /data-replication/configure` may name as `sourceConfig.dialect`. Default: none, and nothing can be configured. */
  readonly sources?: HandlerOptions['sources']
  /** How long one alarm works on copies, in milliseconds; the slice under way then ends. Default 10,000. */
  readonly sliceMs?: number | undefined
}

export interface ExportSettings extends Omit<ExporterOptions, 'source' | 'state' | 'instance' | 'logger'> {
  /** How long a request waits for a small dump, in milliseconds, before it is answered with 202. Default 20,000. */
  readonly waitMs?: number | undefined
  /** How long one alarm works on dumps, in milliseconds. Default 10,000. */
  readonly sliceMs?: number | undefined
}
