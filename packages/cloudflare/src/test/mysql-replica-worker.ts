import type { SourceDialect } from '@tidemark/core'
import { mysqlSource, type MysqlSourceConfig } from '@tidemark/mysql'
import { ReplicaOf } from './replica-object.ts'

export { replicaWorker as worker } from './replica-object.ts'

export class ReplicaObject extends ReplicaOf<MysqlSourceConfig> {
  protected source(config: MysqlSourceConfig): SourceDialect {
    return mysqlSource(config)
  }
}
