export { nodeSqliteTarget, type NodeSqliteTargetConfig } from './node-sqlite-target.ts'
export { nodeReplicaReader, type NodeReplicaReaderConfig } from './node-replica-reader.ts'
