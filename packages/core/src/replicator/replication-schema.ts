import * as v from 'valibot'
import { duration, positive } from '../options/option-shapes.ts'
import { having, standardSchema, type StandardSchema } from '../errors/standard-schema.ts'
import { shapeFaults } from '../errors/shape-issues.ts'
import type { Replication } from './replicator-options.ts'
import { replicationFaults, scheduleFaults } from './replication-faults.ts'

/** SQLite takes any name; NUL would end it, and an empty one can't be said. */
const name = v.pipe(
  v.string(),
  v.minLength(1, 'Must not be empty.'),
  v.maxLength(255, 'Must have at most 255 characters.'),
  v.check((text) => !text.includes('\0'), 'Must not contain NUL.'),
)
const columns = v.pipe(v.array(name), v.minLength(1, 'Must name at least one column.'))
const logicalTypes = [
  'boolean', 'integer', 'decimal', 'scaled', 'real', 'text', 'enum', 'raw', 'uuid', 'uuid-blob', 'blob', 'json', 'array',
  'date', 'timestamp', 'timestamp-utc', 'epoch-us', 'time', 'interval', 'bits',
] as const

export const rulesShape = v.strictObject({
  name,
  sourceTable: name,
  targetTable: v.optional(name),
  trackingColumn: v.optional(name),
  mode: v.optional(v.picklist(['incremental', 'full'])),
  key: v.optional(columns),
  columns: v.optional(columns),
  types: v.optional(v.record(name, v.optional(v.strictObject({
    type: v.optional(v.picklist(logicalTypes)),
    onUnrepresentable: v.optional(v.picklist(['error', 'null', 'text'])),
  })))),
  syncIntervalMinutes: v.optional(positive),
  schedule: v.optional(name),
  isActive: v.optional(v.boolean()),
  nullTracking: v.optional(v.picklist(['error', 'include', 'exclude'])),
  schemaPolicy: v.optional(v.picklist(['follow', 'stop', 'rebuild'])),
  reconcile: v.optional(v.union([
    v.literal(false),
    v.strictObject({ intervalMinutes: v.optional(positive), budgetMs: v.optional(positive) }),
  ], 'Must be false, or { intervalMinutes, budgetMs }.')),
  softDelete: v.optional(v.strictObject({ column: name })),
  secondaryUniques: v.optional(v.picklist(['index', 'unique', 'none'])),
  settleGraceMs: v.optional(duration),
})

export const replicationShape = v.strictObject({
  ...rulesShape.entries,
  source: having<Replication['source']>(['connect', 'parseTable', 'capabilities'], 'Must be a source, such as postgresSource({ url }).'),
})

/** All that a file can say of a replication: its options without its source, which is code. */
export type ReplicationRules = Omit<Replication, 'source'>

/** Validates {@link ReplicationRules}, such as an entry of a JSON file; add the source, and it is a replication. */
export const replicationRulesSchema: StandardSchema<ReplicationRules> = standardSchema((rules) => {
  const shape = shapeFaults(rulesShape, rules)
  return shape.length > 0 ? shape : scheduleFaults(rules as ReplicationRules) // what the shape has let through
})

/** Validates one replication as `configure` does: by itself, not among others. */
export const replicationSchema: StandardSchema<Replication> = standardSchema((replication) => {
  const shape = shapeFaults(replicationShape, replication)
  return shape.length > 0 ? shape : replicationFaults(replication as Replication, 'tidemark_') // what the shape has let through
})
