import type { AbortOptions } from '@tidemark/core/adapter'
import type { SqlSession } from '../sql-session.ts'
import type { SourceType } from '../type-catalogue.ts'
import type { RelationColumn } from './pgoutput-messages.ts'

/** Domains are followed down to what they stand on, as the description of a table does. */
const TYPES = `
WITH RECURSIVE wanted AS (
  SELECT w.n, w.typ, w.typmod FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.text::pg_catalog.int4[])) WITH ORDINALITY AS w(typ, typmod, n)
), walk AS (
  SELECT n, typ, typmod FROM wanted
  UNION ALL
  SELECT w.n, t.typbasetype, t.typtypmod FROM walk w JOIN pg_catalog.pg_type t ON t.oid = w.typ WHERE t.typtype = 'd'
), base AS (
  SELECT w.n, w.typ, w.typmod, t.typtype, e.oid AS element
  FROM walk w JOIN pg_catalog.pg_type t ON t.oid = w.typ
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid WHERE t.typtype <> 'd'
), element_walk AS (
  SELECT n, element AS typ, typmod FROM base WHERE element IS NOT NULL
  UNION ALL
  SELECT w.n, t.typbasetype, t.typtypmod FROM element_walk w JOIN pg_catalog.pg_type t ON t.oid = w.typ WHERE t.typtype = 'd'
), element AS (
  SELECT w.n, w.typ, w.typmod FROM element_walk w JOIN pg_catalog.pg_type t ON t.oid = w.typ WHERE t.typtype <> 'd'
)
SELECT b.n, b.typtype, b.element IS NOT NULL, coalesce(pg_catalog.format_type(e.typ, e.typmod) || '[]', pg_catalog.format_type(b.typ, b.typmod))
FROM base b LEFT JOIN element e ON e.n = b.n`

/**
 * What types are called, by number, as a stream gives them. Asked for over another connection when a table comes with a type that is not
 * known yet; kept from then on.
 */
export class TypeNames {
  readonly #session: SqlSession
  readonly #known = new Map<string, SourceType>()

  constructor(session: SqlSession) {
    this.#session = session
  }

  knows(columns: readonly RelationColumn[]): boolean {
    return columns.every((column) => this.#known.has(keyOf(column)))
  }

  async learn(columns: readonly RelationColumn[], options: AbortOptions): Promise<void> {
    const unknown = columns.filter((column) => !this.#known.has(keyOf(column)))
    if (unknown.length === 0) return
    const parameters = [`{${unknown.map(({ typeOid }) => typeOid).join(',')}}`, `{${unknown.map(({ typeModifier }) => typeModifier).join(',')}}`]
    const rows = await this.#session.query({ text: TYPES, parameters, signal: options.signal })
    // A type that was dropped meanwhile has no name any more: its values are the server's own text.
    for (const column of unknown) this.#known.set(keyOf(column), { name: `pg_type ${column.typeOid}`, kind: 'b', isArray: false })
    for (const [number, kind, isArray, name] of rows) {
      const column = unknown[Number(number) - 1]
      if (column !== undefined) this.#known.set(keyOf(column), { name: name ?? '', kind: kind ?? 'b', isArray: isArray === 't' })
    }
  }

  /** Of a column that `knows` holds for. */
  of(column: RelationColumn): SourceType {
    return this.#known.get(keyOf(column)) ?? { name: '', kind: 'b', isArray: false }
  }
}

function keyOf({ typeOid, typeModifier }: RelationColumn): string {
  return `${typeOid} ${typeModifier}`
}
