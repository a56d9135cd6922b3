import { createHash } from 'node:crypto'
import type { ExportPlan, ExportSection, ExportSelection } from '@tidemark/core/adapter'
import { TidemarkError } from '@tidemark/core/adapter'
import type { RunOptions } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'
import { lastingDefinition, readDefinitions, type Definitions } from './definitions.ts'
import { readExportCatalogue } from './export-catalogue.ts'
import { FOOT, HEAD, PREAMBLE } from './head-and-foot.ts'
import { selectRelations, type SelectedRelation } from './select-relations.ts'
import { isHeld, planTable, toExportTable, type TablePlan } from './table-plan.ts'

/** A plan, with what reading by it takes. */
export interface HeldPlan {
  readonly plan: ExportPlan
  readonly tables: readonly TablePlan[]
  readonly definitions: Definitions
}

export interface MakePlanRequest extends RunOptions {
  readonly selection: ExportSelection
  /** Whether the rows have to be of one instant. */
  readonly isSnapshot: boolean
}

/** Errors: `TABLE_UNKNOWN`, `NOTHING_SELECTED`, `NOT_SUPPORTED` when a table can't be held still. */
export async function makePlan(session: Session, request: MakePlanRequest): Promise<HeldPlan> {
  const { selection } = request
  const catalogue = await readExportCatalogue(session, request)
  const relations = selectRelations(catalogue, selection)
  const stored = relations.filter(({ kind }) => kind === 'table')
  const moving = selection.content === 'schema' ? [] : stored.filter((relation) => !isHeld(relation, catalogue.heldEngines))
  if (request.isSnapshot && moving[0] !== undefined) throw notHeld(moving)
  const tables: TablePlan[] = []
  for (const relation of stored) tables.push(await planTable(session, relation, { ...request, heldEngines: catalogue.heldEngines }))
  const definitions = await readDefinitions(session, { ...request, relations, isWhole: selection.tables === undefined })
  const { server } = session
  return {
    tables, definitions,
    plan: {
      tables: tables.map(toExportTable),
      sections: sections(selection, definitions, tables.length),
      preamble: PREAMBLE,
      schemaHash: hashOf(selection, definitions, tables),
      engineVersion: `${server.isMariaDb ? 'MariaDB' : 'MySQL'} ${server.version}`,
      notes: [...notesOn(relations), ...moving.map(({ name, engine }) => `Table ${name} is of engine ${engine ?? 'unknown'}, which keeps no row versions: its rows are of no one instant.`), ...definitions.notes],
    },
  }
}

function sections({ content }: ExportSelection, { before, after }: Definitions, tables: number): readonly ExportSection[] {
  const rows = content === 'schema' ? [] : Array.from({ length: tables }, (_, table) => ({ kind: 'rows', table }) as const)
  const defines = content !== 'data'
  return [
    { kind: 'statements', role: 'before', statements: [...HEAD, ...(defines ? before : [])] },
    ...rows,
    { kind: 'statements', role: 'after', statements: [...(defines ? after : []), ...FOOT] },
  ]
}

function hashOf(selection: ExportSelection, { before, after }: Definitions, tables: readonly TablePlan[]): string {
  const read = tables.map(({ relation, columns, key }) => [relation.name, relation.where, relation.limit, columns.map(({ schema, charset }) => [schema.name, schema.sourceType, charset]), key?.index])
  // A sequence's counter moves as an AUTO_INCREMENT does.
  const lasting = [...before, ...after].filter((statement) => !statement.startsWith('DO SETVAL')).map(lastingDefinition)
  return createHash('sha256').update(JSON.stringify([selection.content, lasting, read])).digest('hex')
}

function notesOn(relations: readonly SelectedRelation[]): readonly string[] {
  return relations.flatMap(({ name, kind, isVersioned }) => {
    if (isVersioned) return [`Table ${name} is system-versioned: its rows are exported as they are now, without their history.`]
    return kind === 'sequence' ? [`Sequence ${name} is exported with the value it had when it was read: no snapshot holds a sequence still.`] : []
  })
}

function notHeld(tables: readonly SelectedRelation[]): TidemarkError {
  const names = tables.map(({ name, engine }) => `${name} (${engine ?? 'unknown engine'})`).join(', ')
  return new TidemarkError('NOT_SUPPORTED', `No snapshot holds these tables still: ${names}.`, {
    remedy: 'Exclude them, convert them to InnoDB, or ask for consistency \'fuzzy\'.',
  })
}
