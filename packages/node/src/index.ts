export { betterSqliteSource, betterSqliteTarget, type BetterSqliteConfig, type BetterSqliteTargetConfig } from './better-sqlite.ts'
export { nodeSqliteSource, type NodeSqliteSourceConfig } from './node-sqlite-source.ts'
export { nodeSqliteTarget, type NodeSqliteTargetConfig } from './node-sqlite-target.ts'
export { nodeReplicaReader, type NodeReplicaReaderConfig } from './node-replica-reader.ts'
