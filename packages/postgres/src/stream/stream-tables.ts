import type { ChangeColumn, ChangeTable, SchemaChange, TableRef } from '@tidemark/core/adapter'
import { planColumn } from '../type-catalogue.ts'
import type { RelationColumn, RelationMessage } from './pgoutput-messages.ts'
import type { PublishedTable } from './published-table.ts'
import type { StreamTable } from './stream-table.ts'
import type { TypeNames } from './type-names.ts'
import { compileValueReader } from './value-reader.ts'

/** The captured tables: as the catalogue has them, and as the stream has described them since. */
export class StreamTables {
  readonly #types: TypeNames
  readonly #published = new Map<string, PublishedTable>()
  readonly #current = new Map<string, ChangeTable>()

  constructor(types: TypeNames, tables: readonly PublishedTable[]) {
    this.#types = types
    for (const table of tables) {
      const id = idOf(table.schema.ref)
      this.#published.set(id, table)
      this.#current.set(id, toChangeTable(table))
    }
  }

  get current(): readonly ChangeTable[] {
    return [...this.#current.values()]
  }

  /** By name as snapshots and checkpoints have it: with the schema where the name alone is not unique. */
  find(name: string): TableRef | undefined {
    const refs = [...this.#published.values()].map(({ schema }) => schema.ref)
    const byName = refs.filter((ref) => ref.name === name)
    return byName.length === 1 ? byName[0] : refs.find((ref) => `${ref.schema ?? 'public'}.${ref.name}` === name)
  }

  /** The table is gone. */
  remove(ref: TableRef): void {
    this.#published.delete(idOf(ref))
    this.#current.delete(idOf(ref))
  }

  published(ref: TableRef): PublishedTable | undefined {
    return this.#published.get(idOf(ref))
  }

  /** Whether the stream describes the table with the columns that are known of it; of one that is not captured nothing has to be. */
  isAsDescribed({ schema, table, columns }: RelationMessage): boolean {
    const current = this.#current.get(idOf({ schema, name: table }))
    if (current === undefined) return true
    return current.columns.length === columns.length && columns.every((column, place) => {
      const known = current.columns[place]
      return known?.name === column.name && known.type === this.#types.of(column).name
    })
  }

  versionOf(ref: TableRef): number {
    return this.#current.get(idOf(ref))?.version ?? 1
  }

  /** The catalogue was looked at again, because a stream's table had other columns. */
  refresh(table: PublishedTable): void {
    this.#published.set(idOf(table.schema.ref), table)
  }

  /** What the stream describes, compiled, and the change of its columns if there is one. */
  compile(message: RelationMessage): { readonly table: StreamTable; readonly change: SchemaChange | undefined } {
    const ref = { schema: message.schema, name: message.table }
    const published = this.published(ref)
    const names = message.columns.map(({ name }) => name)
    const columns = message.columns.map((column) => this.#column(column, published))
    const key = placesOf(names, published?.key ?? [])
    const change = published === undefined ? undefined : this.#noteChange(ref, { columns, key: key.map((place) => names[place] ?? '') })
    const table: StreamTable = {
      id: message.id, schema: message.schema, table: message.table, names, columns, key,
      isCaptured: published !== undefined,
      readers: message.columns.map((column, place) => this.#reader(column, place)),
      identity: message.columns.flatMap(({ isIdentity }, place) => (isIdentity ? [place] : [])),
      version: this.versionOf(ref),
    }
    return { table, change }
  }

  #reader(column: RelationColumn, place: number): StreamTable['readers'][number] {
    return compileValueReader(planColumn({ name: column.name, ordinal: place + 1, nullable: true }, this.#types.of(column), { onUnrepresentable: 'text' }))
  }

  /** A stream does not say what may be NULL: the catalogue does, as of now. */
  #column(column: RelationColumn, published: PublishedTable | undefined): ChangeColumn {
    const known = published?.schema.columns.find(({ name }) => name === column.name)
    return { name: column.name, type: this.#types.of(column).name, nullable: known?.nullable ?? true, generated: published?.generated.includes(column.name) ?? false }
  }

  #noteChange(ref: TableRef, now: Pick<ChangeTable, 'columns' | 'key'>): SchemaChange | undefined {
    const was = this.#current.get(idOf(ref))
    if (was === undefined || shapeOf(was) === shapeOf(now)) return undefined
    const table = { ...was, ...now, version: was.version + 1 }
    this.#current.set(idOf(ref), table)
    return { type: 'schema', schema: table.schema, table: table.name, columns: table.columns, key: table.key, version: table.version }
  }
}

/** Without what is computed: the server does not send it, and a snapshot must have the same columns. */
function toChangeTable({ schema: { ref, columns }, key, generated }: PublishedTable): ChangeTable {
  const sent = columns.filter(({ name }) => !generated.includes(name))
  return {
    schema: ref.schema ?? null, name: ref.name, version: 1, key,
    columns: sent.map(({ name, sourceType, nullable }) => ({ name, type: sourceType, nullable, generated: false })),
  }
}

function shapeOf({ columns, key }: Pick<ChangeTable, 'columns' | 'key'>): string {
  return JSON.stringify([columns.map(({ name, type }) => [name, type]), key])
}

function idOf({ schema, name }: TableRef): string {
  return JSON.stringify([schema ?? 'public', name])
}

function placesOf(names: readonly string[], wanted: readonly string[]): readonly number[] {
  const places = wanted.map((name) => names.indexOf(name))
  return places.includes(-1) ? [] : places
}
