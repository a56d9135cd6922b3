import type { ExportPlan } from '../../dialect/export-source.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { ExportContext } from '../export-context.ts'
import type { CopyPlan, ExportSpec } from '../export-state.ts'
import type { HeldJob } from '../export-store.ts'
import { manifestTable } from '../manifest-table.ts'
import { partSize } from '../part-size.ts'
import { planStreams } from '../plan-streams.ts'
import type { ViewPool } from '../view-pool.ts'
import { whileHeld } from '../while-held.ts'

/**
 * Fixes the instant and lays down what is to be written. The view is named by job and attempt: asked for again, it is the same one made anew. One that was
 * lost to a kill is not risked again, or who is killed in every slice would never come to an end.
 */
export async function beginCopy(context: ExportContext, pool: ViewPool, { job, signal }: { readonly job: HeldJob; readonly signal: AbortSignal }): Promise<void> {
  const { id, attempt, spec } = job.state
  await pool.release(id)
  const connection = await pool.connection(id, signal)
  const { consistency, selection } = spec
  const readsBlocks = spec.format === 'sql' && selection.content !== 'schema'
  const request = { viewId: `${id}.${attempt}`, consistency, selection, mayBeLost: attempt === 1, readsBlocks }
  const view = await whileHeld({ job, runtime: context.runtime, signal }, (held) => connection.createView({ ...request, signal: held }))
  await job.update((state) => ({ ...state, status: 'processing', view }))
  const { plan } = await pool.view(job.state, signal)
  requirePlan(plan, spec)
  const streams = planStreams(spec, plan.sections)
  await job.update((state) => ({ ...state, plan: copyPlan(context, plan, spec), streams }))
  context.emitter.emit('export:view', { id, consistency, attempt, tables: plan.tables.length })
}

function copyPlan(context: ExportContext, plan: ExportPlan, spec: ExportSpec): CopyPlan {
  const estimatedBytes = sum(plan.tables.map((table) => table.estimatedBytes))
  return {
    engineVersion: plan.engineVersion,
    schemaHash: plan.schemaHash,
    tables: plan.tables.map((_, index) => manifestTable(plan, index)),
    notes: plan.notes,
    partBytes: spec.partBytes ?? partSize(context.storage.capabilities, estimatedBytes),
    estimatedRows: sum(plan.tables.map((table) => table.estimatedRows)),
    estimatedBytes,
  }
}

/** Sections that leave a table out would make a dump that looks whole. */
function requirePlan(plan: ExportPlan, { selection }: ExportSpec): void {
  const withRows = new Set(plan.sections.flatMap((section) => (section.kind === 'rows' ? [section.table] : [])))
  const isMissing = selection.content !== 'schema' && plan.tables.some((_, index) => !withRows.has(index))
  if (isMissing) throw new TidemarkError('INTERNAL', 'The source\'s plan leaves the rows of a table out.')
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  return values.some((value) => value === undefined) ? undefined : values.reduce<number>((total, value) => total + (value ?? 0), 0)
}
