export { nodeSqliteTarget, type NodeSqliteTargetConfig } from './node-sqlite-target.ts'
export { nodeSqliteSource, type NodeSqliteSourceConfig } from './node-sqlite-source.ts'
