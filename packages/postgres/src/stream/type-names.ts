import type { AbortOptions } from '@tidemark/core/adapter'
import type { SqlSession } from '../sql-session.ts'
import { BASE_TYPES } from '../domain-walk.ts'
import type { SourceType } from '../type-catalogue.ts'
import type { RelationColumn } from './pgoutput-messages.ts'

const TYPES = `
WITH RECURSIVE wanted AS (
  SELECT w.id, w.typ, w.typmod FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.text::pg_catalog.int4[])) WITH ORDINALITY AS w(typ, typmod, id)
), ${BASE_TYPES}
SELECT id, kind, is_array, name FROM base_type`

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
