import type { ChangeEvent, ChangeRow } from '@tidemark/core/adapter'

/** Tables as a consumer would keep them: upserts, and deletes of rows that may not be there. */
export class Replica {
  readonly #tables = new Map<string, Map<unknown, ChangeRow>>()
  /** Rows that went back in time: their counter only grows at the source, for as long as the row is there. */
  readonly regressions: string[] = []
  snapshotRows = 0

  apply(events: readonly ChangeEvent[]): void {
    for (const event of events) this.#apply(event)
  }

  rows(table: string): readonly string[] {
    return [...this.#table(table).values()].toSorted((a, b) => Number(a['id']) - Number(b['id'])).map((row) => JSON.stringify(row))
  }

  #apply(event: ChangeEvent): void {
    const table = this.#table(event.table)
    if (event.op === 'snapshot') this.snapshotRows += 1
    if (event.op === 'truncate') return table.clear()
    if (event.op === 'delete') return void table.delete(event.key?.['id'])
    const id = event.key?.['id']
    if (event.op === 'update' && event.before?.['id'] !== id) table.delete(event.before?.['id'])
    const was = table.get(id)
    if (event.op === 'snapshot' && was !== undefined && Number(was['n']) > Number(event.after['n'])) this.regressions.push(event.id)
    table.set(id, { ...was, ...event.after } as ChangeRow) // columns that were not sent stay
  }

  #table(name: string): Map<unknown, ChangeRow> {
    const known = this.#tables.get(name) ?? new Map<unknown, ChangeRow>()
    this.#tables.set(name, known)
    return known
  }
}
