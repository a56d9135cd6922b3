import * as v from 'valibot'
import { TidemarkError, type ConfigIssue } from '../errors/tidemark-error.ts'
import type { Replication } from './replicator-options.ts'
import { scheduleIssue } from './schedule.ts'

/** SQLite takes any name; NUL would end it, and an empty one can't be said. */
const nameSchema = v.pipe(
  v.string(),
  v.minLength(1, 'Must not be empty.'),
  v.maxLength(255, 'Must have at most 255 characters.'),
  v.check((name) => !name.includes('\0'), 'Must not contain NUL.'),
)
const columnsSchema = v.pipe(v.array(nameSchema), v.minLength(1, 'Must name at least one column.'))
const positiveNumber = v.pipe(v.number(), v.finite('Must be finite.'), v.gtValue(0, 'Must be greater than 0.'))
const logicalTypes = [
  'boolean', 'integer', 'decimal', 'scaled', 'real', 'text', 'enum', 'raw', 'uuid', 'uuid-blob', 'blob', 'json', 'array',
  'date', 'timestamp', 'timestamp-utc', 'epoch-us', 'time', 'interval', 'bits',
] as const

const replicationSchema = v.strictObject({
  name: nameSchema,
  source: v.custom<Replication['source']>(isSource, 'Must be a source, such as postgresSource({ url }).'),
  sourceTable: nameSchema,
  targetTable: v.optional(nameSchema),
  trackingColumn: v.optional(nameSchema),
  mode: v.optional(v.picklist(['incremental', 'full'])),
  key: v.optional(columnsSchema),
  columns: v.optional(columnsSchema),
  types: v.optional(v.record(nameSchema, v.strictObject({
    type: v.optional(v.picklist(logicalTypes)),
    onUnrepresentable: v.optional(v.picklist(['error', 'null', 'text'])),
  }))),
  syncIntervalMinutes: v.optional(positiveNumber),
  schedule: v.optional(nameSchema),
  isActive: v.optional(v.boolean()),
  nullTracking: v.optional(v.picklist(['error', 'include', 'exclude'])),
  schemaPolicy: v.optional(v.picklist(['follow', 'stop', 'rebuild'])),
  reconcile: v.optional(v.union([
    v.literal(false),
    v.strictObject({ intervalMinutes: v.optional(positiveNumber), budgetMs: v.optional(positiveNumber) }),
  ])),
  softDelete: v.optional(v.strictObject({ column: nameSchema })),
  secondaryUniques: v.optional(v.picklist(['index', 'unique', 'none'])),
  settleGraceMs: v.optional(v.pipe(v.number(), v.finite('Must be finite.'), v.minValue(0, 'Must not be negative.'))),
})

function isSource(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'connect' in value && 'parseTable' in value && 'capabilities' in value
}

/** Every fault of every replication, and of the replications among each other. */
export function replicationIssues(replications: readonly Replication[], tablePrefix: string): readonly ConfigIssue[] {
  const issues = replications.flatMap((replication, index) => {
    const at = `replications[${index}]`
    const shape = shapeIssues(replication, at)
    return shape.length > 0 ? shape : meaningIssues(replication, at, tablePrefix)
  })
  if (issues.length > 0) return issues
  const targetOf = (replication: Replication): string =>
    (replication.targetTable ?? replication.source.parseTable(replication.sourceTable).name).toLowerCase()
  return [
    ...duplicates(replications, 'name', (replication) => replication.name),
    // SQLite compares table names without regard to case.
    ...duplicates(replications, 'targetTable', targetOf),
  ]
}

function shapeIssues(replication: unknown, at: string): readonly ConfigIssue[] {
  const parsed = v.safeParse(replicationSchema, replication)
  if (parsed.success) return []
  return parsed.issues.map((issue) => ({ path: `${at}.${v.getDotPath(issue) ?? ''}`.replace(/\.$/, ''), message: issue.message }))
}

function meaningIssues(replication: Replication, at: string, tablePrefix: string): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  const add = (option: string, message: string): number => issues.push({ path: `${at}.${option}`, message })
  if (replication.schedule !== undefined && replication.syncIntervalMinutes !== undefined) add('schedule', 'Give either a schedule or syncIntervalMinutes.')
  const schedule = scheduleIssue(replication.schedule)
  if (schedule !== undefined) add('schedule', schedule)
  const target = targetName(replication, (message) => add('sourceTable', message))
  if (target?.toLowerCase().startsWith(tablePrefix.toLowerCase()) === true) add('targetTable', `Must not begin with "${tablePrefix}", the prefix of Tidemark's own tables.`)
  if (target?.toLowerCase().startsWith('sqlite_') === true) add('targetTable', 'Must not begin with "sqlite_", which SQLite reserves.')
  return issues
}

/** A source refuses a name it can't have; that is one more fault of the list, not the end of it. */
function targetName(replication: Replication, onIssue: (message: string) => void): string | undefined {
  try {
    const table = replication.source.parseTable(replication.sourceTable)
    return replication.targetTable ?? table.name
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error
    onIssue(error.message)
    return undefined
  }
}

function duplicates(
  replications: readonly Replication[], option: string, valueOf: (replication: Replication) => string,
): readonly ConfigIssue[] {
  const first = new Map<string, number>()
  return replications.flatMap((replication, index) => {
    const value = valueOf(replication)
    const earlier = first.get(value)
    if (earlier === undefined) first.set(value, index)
    return earlier === undefined ? [] : [{ path: `replications[${index}].${option}`, message: `Is the same as that of replications[${earlier}].` }]
  })
}
