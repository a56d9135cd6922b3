import { errnoOf } from '../errors.ts'
import type { RunOptions, TextCell } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'
import { quoteIdentifier } from '../quote.ts'
import type { SelectedRelation } from './select-relations.ts'
import { orderViews } from './order-views.ts'
import { asStored, delimited, withoutDefiner } from './stored-program.ts'

/** Statements that make what the rows go into, and what is made of them. */
export interface Definitions {
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly notes: readonly string[]
  /** What {@link showCreateTable} gave for each table. */
  readonly tables: ReadonlyMap<string, string>
}

export interface DefinitionsRequest extends RunOptions {
  readonly relations: readonly SelectedRelation[]
  /** Whether routines and events are of the export: they belong to the database and to no table. */
  readonly isWhole: boolean
}

const VIEW_INVALID = 1356
const EXPECTED = [VIEW_INVALID]

export async function readDefinitions(session: Session, request: DefinitionsRequest): Promise<Definitions> {
  const of = (kind: SelectedRelation['kind']): readonly SelectedRelation[] => request.relations.filter((relation) => relation.kind === kind)
  const notes: string[] = []
  const tables = new Map<string, string>()
  for (const { name } of of('table')) tables.set(name, await showCreateTable(session, name, request))
  const sequences: string[] = []
  for (const { name } of of('sequence')) sequences.push(...await sequence(session, name, request))
  const views = await readViews(session, { names: of('view').map(({ name }) => name), notes }, request)
  const programs = request.isWhole ? await readPrograms(session, notes, request) : { routines: [], events: [] }
  const triggers = await readTriggers(session, { tables: new Set(tables.keys()), notes }, request)
  const changed = [...programs.routines, ...views, ...triggers, ...programs.events].length
  if (changed > 0) notes.push('Definers are not kept: views, routines, triggers and events become those of the user who loads the dump.')
  return {
    before: [...sequences, ...Array.from(tables.values(), (sql) => `${sql};`), ...programs.routines],
    after: [...views, ...triggers, ...programs.events],
    notes, tables,
  }
}

export async function showCreateTable(session: Session, name: string, options: RunOptions): Promise<string> {
  const [row] = await session.link.rows(`SHOW CREATE TABLE ${quoteIdentifier(name)}`, options)
  return row?.[1] ?? ''
}

/** A definition without what merely counts rows. */
export function lastingDefinition(createTable: string): string {
  return createTable.replace(/^(\) ENGINE=\S+) AUTO_INCREMENT=\d+/mu, '$1')
}

async function sequence(session: Session, name: string, options: RunOptions): Promise<readonly string[]> {
  const quoted = quoteIdentifier(name)
  const [row] = await session.link.rows(`SHOW CREATE SEQUENCE ${quoted}`, options)
  const [[next = null] = []] = await session.link.rows(`SELECT next_not_cached_value FROM ${quoted}`, options)
  return [`${row?.[1] ?? ''};`, `DO SETVAL(${quoted}, ${next ?? '1'}, 0);`]
}

interface ViewNames {
  readonly names: readonly string[]
  readonly notes: string[]
}

async function readViews(session: Session, { names, notes }: ViewNames, options: RunOptions): Promise<readonly string[]> {
  const views = new Map<string, string>()
  for (const name of names) {
    try {
      const [[, sql = null, , collation = null] = []] = await session.link.rows(`SHOW CREATE VIEW ${quoteIdentifier(name)}`, { ...options, expectedErrnos: EXPECTED })
      views.set(name, asStored({ sqlMode: undefined, collation }, `${withoutDefiner(sql ?? '')};`))
    } catch (error) {
      if (errnoOf(error) !== VIEW_INVALID) throw error
      notes.push(`View ${name} refers to something that is gone or hidden, and is left out.`)
    }
  }
  return orderViews(views)
}

async function readTriggers(session: Session, { tables, notes }: { readonly tables: ReadonlySet<string>; readonly notes: string[] }, options: RunOptions): Promise<readonly string[]> {
  const found = await session.link.rows(
    'SELECT trigger_name, event_object_table FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY event_object_table, event_manipulation, action_timing, action_order, trigger_name', options,
  )
  const statements: string[] = []
  for (const [name, table] of found) {
    if (!tables.has(table ?? '')) continue
    const [row] = await session.link.rows(`SHOW CREATE TRIGGER ${quoteIdentifier(name ?? '')}`, options)
    pushProgram(statements, notes, { kind: 'Trigger', name, sqlMode: row?.[1], sql: row?.[2], collation: row?.[4] })
  }
  return statements
}

async function readPrograms(session: Session, notes: string[], options: RunOptions): Promise<{ readonly routines: readonly string[]; readonly events: readonly string[] }> {
  const routines: string[] = []
  const events: string[] = []
  const found = await session.link.rows('SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = DATABASE() ORDER BY routine_type, routine_name', options)
  for (const [type, name] of found) {
    const [row] = await session.link.rows(`SHOW CREATE ${type === 'PROCEDURE' ? 'PROCEDURE' : type === 'FUNCTION' ? 'FUNCTION' : `PACKAGE${type === 'PACKAGE BODY' ? ' BODY' : ''}`} ${quoteIdentifier(name ?? '')}`, options)
    pushProgram(routines, notes, { kind: 'Routine', name, sqlMode: row?.[1], sql: row?.[2], collation: row?.[4] })
  }
  for (const [name] of await session.link.rows('SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE() ORDER BY event_name', options)) {
    const [row] = await session.link.rows(`SHOW CREATE EVENT ${quoteIdentifier(name ?? '')}`, options)
    pushProgram(events, notes, { kind: 'Event', name, sqlMode: row?.[1], sql: row?.[3], collation: row?.[5], timeZone: row?.[2] })
  }
  return { routines, events }
}

interface StoredProgram {
  readonly kind: string
  readonly name: TextCell | undefined
  readonly sqlMode: TextCell | undefined
  readonly sql: TextCell | undefined
  readonly collation: TextCell | undefined
  readonly timeZone?: TextCell | undefined
}

function pushProgram(statements: string[], notes: string[], { kind, name, sqlMode, sql, collation, timeZone }: StoredProgram): void {
  // The server shows the body to its owner only.
  if (sql === null || sql === undefined) notes.push(`${kind} ${name ?? ''} is left out: its body is not shown to this user.`)
  else statements.push(asStored({ sqlMode, collation, timeZone }, delimited(withoutDefiner(sql))))
}
