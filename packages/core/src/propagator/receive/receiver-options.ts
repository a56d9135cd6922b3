import * as v from 'valibot'
import type { PropagationSettings, PropagationTarget } from '../../dialect/propagation-target.ts'
import { configError } from '../../errors/fault.ts'
import { logger, runtime } from '../../options/option-shapes.ts'
import { having, standardShape, type StandardSchema } from '../../errors/standard-schema.ts'
import { shapeIssues } from '../../errors/shape-issues.ts'
import { TidemarkError, type ConfigIssue } from '../../errors/tidemark-error.ts'
import type { Logger } from '../../log/logger.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { conflictEntries } from '../conflict-entries.ts'
import { versionedWrites, type ConflictRules } from '../conflict-rules.ts'
import { systemRuntime } from '../../runtime/system-runtime.ts'
import type { SecretInput } from '../../util/secret.ts'

/** What a receiver does with what it gets. */
export interface ReceiverRules extends ConflictRules {
  /** Name of the receiving instance, where it propagates its own changes: they are not applied when they come back. */
  readonly origin?: string | undefined
  /** The tables that senders may write to; others are refused. Default: all that they send, but for Tidemark's own. */
  readonly tables?: readonly string[] | undefined
  /** Whether rows that were in a table before its sender's first contact may be deleted or replaced. Default false: such a table is refused. */
  readonly replacesRows?: boolean | undefined
  /** Whether tables and columns that are missing are made. Default false: such a table is refused. */
  readonly followsSchema?: boolean | undefined
  /** Whether the application's own writes to these tables are refused, for replicas of one writer. Default false. */
  readonly refusesLocalWrites?: boolean | undefined
  /** Default: the host's clock. */
  readonly runtime?: Runtime | undefined
}

/**
 * Who may send. One token or secret for all, or one for each origin, so that none can speak for another; or a function, which gets the headers
 * of a request and the name that it claims.
 */
export type Authorization =
  | { readonly token: SecretInput }
  | { readonly secret: SecretInput }
  | { readonly tokens: Readonly<Record<string, SecretInput>> }
  | { readonly secrets: Readonly<Record<string, SecretInput>> }
  | ((request: { readonly headers: { get(name: string): string | null }; readonly origin: string; readonly body: string }) => boolean | Promise<boolean>)

export interface ReceiverOptions extends ReceiverRules {
  readonly target: PropagationTarget
  readonly authorize: Authorization
  /** Greatest request, in bytes. Default 8 MiB. */
  readonly maxMessageBytes?: number | undefined
  /** Default: silent. */
  readonly logger?: Logger | undefined
}

const flag = v.optional(v.boolean('Must be true or false.'))

/** Not strict: rules come together with the options of what they are for. */
const rulesSchema = v.object({
  ...conflictEntries,
  origin: v.optional(v.string()),
  tables: v.optional(v.array(v.string())),
  replacesRows: flag,
  followsSchema: flag,
  refusesLocalWrites: flag,
})

export const receiverShape = v.strictObject({
  ...rulesSchema.entries,
  target: having<PropagationTarget>(['connect'], 'Must be a target, such as nodeSqlitePropagationTarget({ path }).'),
  authorize: v.custom<Authorization>((value) => value !== undefined && value !== null, 'Must say who may send, such as { token }.'),
  maxMessageBytes: v.optional(v.pipe(v.number(), v.minValue(1, 'Must be at least 1.'))),
  runtime, logger,
})

/** Validates all options of `createReceiver`, as it does. */
export const receiverOptionsSchema: StandardSchema<ReceiverOptions> = standardShape(receiverShape)

/** Errors: `CONFIG_INVALID` with every fault found. */
export function checkReceiver(options: ReceiverOptions): void {
  refuse(shapeIssues(receiverShape, options))
}

/** Errors: `CONFIG_INVALID` with every fault found. */
export function receiverSettings(rules: ReceiverRules): PropagationSettings {
  refuse(shapeIssues(rulesSchema, rules))
  const { origin, replacesRows = false, followsSchema = false, refusesLocalWrites = false, log = 'tidemark', runtime = systemRuntime() } = rules
  const versioned = versionedWrites(rules, runtime)
  if (versioned !== undefined && refusesLocalWrites) {
    throw new TidemarkError('CONFIG_INVALID', 'An instance can not both write and be refused to.', { issues: [{ path: 'refusesLocalWrites', message: 'Must not be set where several instances write.' }] })
  }
  return { origin, replacesRows, followsSchema, refusesLocalWrites, log, versioned, tables: rules.tables === undefined ? undefined : new Set(rules.tables) }
}

function refuse(issues: readonly ConfigIssue[]): void {
  if (issues.length > 0) throw configError(issues)
}
