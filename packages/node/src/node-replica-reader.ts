import { ReplicaReader } from '@tidemark/sqlite'
import { NodeSqliteDriver } from './node-sqlite-driver.ts'
import { textForm } from './text-form.ts'

export interface NodeReplicaReaderConfig {
  readonly path: string
  /** As given to the `Replicator`. Default `tidemark_`. */
  readonly tablePrefix?: string | undefined
}

/** Opens a copied database for typed reading; see {@link ReplicaReader}. Errors: `TARGET_*`. */
export function nodeReplicaReader(config: NodeReplicaReaderConfig): ReplicaReader {
  return new ReplicaReader(new NodeSqliteDriver({ path: config.path, busyTimeoutMs: 5_000 }), { tablePrefix: config.tablePrefix, textForm: textForm() })
}
