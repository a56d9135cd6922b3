import type { ExportPlan } from '../dialect/export-source.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ExportState } from './export-state.ts'

/** Streams count sections and tables of the plan that they were made from. Errors: `SCHEMA_CHANGED`. */
export function requireSamePlan({ plan }: ExportState, found: ExportPlan): void {
  if (plan?.schemaHash === found.schemaHash) return
  throw new TidemarkError('SCHEMA_CHANGED', 'The definitions of the exported tables changed since the export began.')
}
