export { nodeSqliteTarget, type NodeSqliteTargetConfig } from './node-sqlite-target.ts'
