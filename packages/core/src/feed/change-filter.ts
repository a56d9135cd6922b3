import type { SchemaChange } from '../change/change-batch.ts'
import type { ChangeEvent, ChangeOp } from '../change/change-event.ts'
import { stableJson } from '../util/stable-json.ts'

/** What of the log a reader wants. Rows of a snapshot do not come from there, and are not filtered. */
export interface FilterRequest {
  /** By name, `users` or `public.users`; absent: all. */
  readonly tables?: readonly string[] | undefined
  readonly ops?: readonly ChangeOp[] | undefined
}

/** What a change is filtered by. */
type TableOf = Pick<ChangeEvent, 'schema' | 'table'>

const NONE: readonly ChangeEvent[] = []

/** Picks events by table and op. The same slice is looked through once, however many readers share the filter. */
export class ChangeFilter {
  readonly #tables: ReadonlyMap<string, ReadonlySet<string | null> | 'any'> | undefined
  readonly #ops: ReadonlySet<ChangeOp> | undefined
  readonly #picked = new WeakMap<readonly ChangeEvent[], readonly ChangeEvent[]>()

  constructor({ tables, ops }: FilterRequest) {
    this.#tables = tables === undefined ? undefined : tableMap(tables)
    this.#ops = ops === undefined ? undefined : new Set(ops)
  }

  /** The very array when everything passes. */
  pick(events: readonly ChangeEvent[]): readonly ChangeEvent[] {
    if (this.#tables === undefined && this.#ops === undefined) return events
    const known = this.#picked.get(events)
    if (known !== undefined) return known
    const picked = this.#pick(events)
    this.#picked.set(events, picked)
    return picked
  }

  pickSchemas(schemas: readonly SchemaChange[]): readonly SchemaChange[] {
    if (this.#tables === undefined || schemas.length === 0) return schemas
    return schemas.filter((schema) => this.#wants(schema))
  }

  #pick(events: readonly ChangeEvent[]): readonly ChangeEvent[] {
    const firstOut = events.findIndex((event) => !this.#passes(event))
    if (firstOut === -1) return events
    const picked = events.filter((event, index) => index < firstOut || (index > firstOut && this.#passes(event)))
    return picked.length === 0 ? NONE : picked
  }

  #passes(event: ChangeEvent): boolean {
    return this.#wants(event) && (this.#ops === undefined || this.#ops.has(event.op))
  }

  #wants({ schema, table }: TableOf): boolean {
    const schemas = this.#tables === undefined ? 'any' : this.#tables.get(table)
    return schemas === 'any' || (schemas !== undefined && schemas.has(schema))
  }
}

/** One filter for each request, shared by all readers that ask the same. */
export class ChangeFilters {
  readonly #filters = new Map<string, ChangeFilter>()

  of({ tables, ops }: FilterRequest): ChangeFilter {
    const key = stableJson([tables === undefined ? null : [...tables].sort(), ops === undefined ? null : [...ops].sort()])
    const known = this.#filters.get(key)
    if (known !== undefined) return known
    const filter = new ChangeFilter({ tables, ops })
    this.#filters.set(key, filter)
    return filter
  }
}

function tableMap(tables: readonly string[]): ReadonlyMap<string, ReadonlySet<string | null> | 'any'> {
  const map = new Map<string, Set<string | null> | 'any'>()
  for (const table of tables) {
    map.set(table, 'any')
    // A name may itself have a dot, so the qualified reading is one more, not another.
    for (let dot = table.indexOf('.'); dot !== -1; dot = table.indexOf('.', dot + 1)) addQualified(map, table.slice(0, dot), table.slice(dot + 1))
  }
  return map
}

function addQualified(map: Map<string, Set<string | null> | 'any'>, schema: string, name: string): void {
  const schemas = map.get(name) ?? new Set<string | null>()
  if (schemas === 'any') return
  schemas.add(schema)
  map.set(name, schemas)
}
