import { TidemarkError, type ReplicationRules, type SourceDialect, type StandardSchema } from '@tidemark/core'
import { standardShape } from '@tidemark/core/adapter'
import * as v from 'valibot'
import { jsonAnswer } from '../answers/json-answer.ts'
import type { HandlerContext } from '../handler-context.ts'
import { sourceConfigSchema, type SourceConfig } from '../replication/source-config.ts'
import { defineRoute, needed } from '../route.ts'
import { doneShape, nameParams, nameShape, positiveNumber } from './shapes.ts'

const columns = v.pipe(v.array(nameShape), v.minLength(1, 'Must name at least one column.'))

export const configureShape = v.strictObject({
  name: nameShape,
  sourceConfig: sourceConfigSchema,
  sourceTable: nameShape,
  targetTable: nameShape,
  syncIntervalMinutes: v.optional(positiveNumber),
  trackingColumn: v.optional(nameShape),
  isActive: v.optional(v.boolean()),
  mode: v.optional(v.picklist(['incremental', 'full'])),
  key: v.optional(columns),
  columns: v.optional(columns),
  schedule: v.optional(nameShape),
  nullTracking: v.optional(v.picklist(['error', 'include', 'exclude'])),
  schemaPolicy: v.optional(v.picklist(['follow', 'stop', 'rebuild'])),
})

/** What is sent to `POST /data-replication/configure`: the names of the prior designs, and further options of a replication. */
export interface ConfigureBody extends Omit<ReplicationRules, 'targetTable' | 'types' | 'reconcile' | 'softDelete' | 'secondaryUniques' | 'settleGraceMs'> {
  readonly sourceConfig: SourceConfig
  readonly targetTable: string
}

/** Validates it before it is sent, as the route does. */
export const configureBodySchema: StandardSchema<ConfigureBody> = standardShape(configureShape)

/** What was configured lives as long as the process, and so does its password. The checkpoint stays in the target. */
export const configureRoute = defineRoute({
  method: 'POST', path: '/data-replication/configure', scope: 'admin', id: 'configureReplication',
  summary: 'Adds a replication, or replaces the options of the one with this name; its checkpoint stays',
  body: configureShape,
  answers: { 200: { description: 'It is configured, and scheduled when it is active and the replicator runs.', schema: doneShape } },
  handle: async ({ body: { sourceConfig, ...replication }, context }) => {
    const replicator = needed(context.replicator, 'replicator')
    await replicator.configure({ ...replication, isActive: replication.isActive ?? true, source: sourceOf(sourceConfig, context) })
    return jsonAnswer({ success: true, message: `Replication "${replication.name}" is configured.` })
  },
})

export const removeRoute = defineRoute({
  method: 'DELETE', path: '/data-replication/configure/:name', scope: 'admin', id: 'removeReplication',
  summary: 'Forgets a replication and its checkpoint; the copied table and the logs stay',
  params: nameParams,
  answers: { 200: { description: 'It is forgotten.', schema: doneShape } },
  handle: async ({ params: { name }, context }) => {
    await needed(context.replicator, 'replicator').remove(name)
    context.tally.forget(name)
    return jsonAnswer({ success: true, message: `Replication "${name}" is removed.` })
  },
})

/** Errors: `CONFIG_INVALID`. */
function sourceOf(config: SourceConfig, { sources }: HandlerContext): SourceDialect {
  const source = Object.hasOwn(sources, config.dialect) ? sources[config.dialect] : undefined
  if (source === undefined) throw invalid('dialect', `Must be one of the handler's \`sources\`: ${Object.keys(sources).join(', ') || 'there are none'}.`)
  if (typeof source === 'function') return source(config)
  const [extra] = Object.keys(config).filter((name) => name !== 'dialect')
  if (extra !== undefined) throw invalid(extra, 'Is set in code for this source.')
  return source
}

function invalid(option: string, message: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', `The source is wrong. ${message}`, { issues: [{ path: `body.sourceConfig.${option}`, message }] })
}
