import { TidemarkError, type ConfigIssue } from '@tidemark/core'
import type { CdcEventFilter } from '../object/cdc-selection.ts'

const SCOPES: readonly unknown[] = ['read', 'operate', 'admin']
const ACTIONS: readonly unknown[] = ['INSERT', 'UPDATE', 'DELETE', '*']

export interface GivenOptions {
  readonly stub?: unknown
  readonly clients?: unknown
  readonly events?: unknown
}

/** What a caller without types may have given. Errors: `CONFIG_INVALID` with every fault found. */
export function checkPluginOptions(options: GivenOptions): void {
  const { stub, clients, events } = Object(options) as GivenOptions // of `undefined`, an empty one
  const issues: ConfigIssue[] = []
  // A stub answers to any name, so that none of them tells what it is.
  if (typeof stub !== 'object' && typeof stub !== 'function' || stub === null) issues.push({ path: 'stub', message: 'Must be the stub of an object whose class withTidemark has made.' })
  if (clients !== undefined && !SCOPES.includes(clients)) issues.push({ path: 'clients', message: 'Must be read, operate or admin.' })
  if (events !== undefined && !(Array.isArray(events) && events.every(isFilter))) issues.push({ path: 'events', message: 'Must be a list of { action, schema, table }, with INSERT, UPDATE, DELETE or * as the action.' })
  if (issues.length > 0) throw new TidemarkError('CONFIG_INVALID', `The options have ${issues.length} fault${issues.length === 1 ? '' : 's'}. ${issues.map(({ path, message }) => `${path}: ${message}`).join(' ')}`, { issues })
}

function isFilter(given: unknown): given is CdcEventFilter {
  const { action, schema, table, column } = Object(given) as Partial<Record<keyof CdcEventFilter, unknown>> // each is looked at
  return ACTIONS.includes(action) && typeof schema === 'string' && typeof table === 'string' && (column === undefined || typeof column === 'string')
}
