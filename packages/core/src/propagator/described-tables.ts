import type { SchemaChange } from '../change/change-batch.ts'
import type { ChangeEvent } from '../change/change-event.ts'
import type { ChangeTable } from '../dialect/change-source.ts'
import type { PeerTable } from '../dialect/propagation-target.ts'

/** What events of each version of a table are described by to a peer. */
export class DescribedTables {
  readonly #versions = new Map<string, PeerTable>()
  #current: readonly ChangeTable[] = []

  /** The captured tables as of now. */
  set current(tables: readonly ChangeTable[]) {
    this.#current = tables
    for (const table of tables) this.#versions.set(versionKey(table.name, table.version), toPeerTable(table))
  }

  get current(): readonly ChangeTable[] {
    return this.#current
  }

  note(schemas: readonly SchemaChange[]): void {
    for (const { table, columns, key, version } of schemas) {
      if (columns !== undefined) this.#versions.set(versionKey(table, version), toPeerTable({ name: table, columns, key }))
    }
  }

  of(event: ChangeEvent): PeerTable {
    const known = this.#versions.get(versionKey(event.table, event.source.schemaVersion))
    return known ?? this.#byImage(event)
  }

  /**
   * Of a shape that the table had before this process came: the columns are those that the row has, with the types they have today. Where that
   * is wrong, the peer refuses the table and gets it anew.
   */
  #byImage(event: ChangeEvent): PeerTable {
    const today = this.#current.find(({ name }) => name === event.table)
    const isGenerated = (name: string): boolean => today?.columns.find((column) => column.name === name)?.generated === true
    const image = event.after ?? event.before ?? event.key ?? {}
    const names = Object.keys(image).filter((name) => !isGenerated(name))
    const type = (name: string): string => today?.columns.find((column) => column.name === name)?.type ?? ''
    return { name: event.table, columns: names.map((name) => ({ name, type: type(name) })), key: Object.keys(event.key ?? {}) }
  }
}

export function toPeerTable({ name, columns, key }: Pick<ChangeTable, 'name' | 'columns' | 'key'>): PeerTable {
  return { name, key, columns: columns.filter(({ generated }) => !generated).map((column) => ({ name: column.name, type: column.type })) }
}

function versionKey(table: string, version: number): string {
  return `${version} ${table}`
}
