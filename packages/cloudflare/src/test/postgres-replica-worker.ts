import type { SourceDialect } from '@tidemark/core'
import { postgresSource, type PostgresConfig } from '@tidemark/postgres'
import { ReplicaOf } from './replica-object.ts'

export { replicaWorker as worker } from './replica-object.ts'

export class ReplicaObject extends ReplicaOf<PostgresConfig> {
  protected source(config: PostgresConfig): SourceDialect {
    return postgresSource(config)
  }
}
