import { isDeepStrictEqual } from 'node:util'
import type { ChangeEvent, ChangeRow } from '@tidemark/core'

type Rows = Map<string, ChangeRow>

/**
 * Tables as their changes alone say they are. Strict: a change that does not fit what was there before is a failure, since an oracle that
 * forgives would hide a lost or doubled change.
 */
export class ReplayedTables {
  readonly #tables = new Map<string, Rows>()
  /** Whether an insert may meet a row of its key: what REPLACE gives on a table with a single unique key. */
  readonly #mayReplace: boolean
  #unkeyed = 0

  constructor(options: { readonly mayReplace: boolean }) {
    this.#mayReplace = options.mayReplace
  }

  rows(table: string): readonly ChangeRow[] {
    return [...this.#of(table).values()]
  }

  apply(event: ChangeEvent): void {
    const rows = this.#of(event.table)
    const key = keyText(event.key)
    switch (event.op) {
      case 'truncate':
        rows.clear()
        return
      case 'snapshot':
        rows.set(key, event.after)
        return
      case 'insert':
        if (!this.#mayReplace && rows.has(key)) throw new Error(`insert of a key that is there: ${event.table} ${key}`)
        rows.set(this.#placeOf(event.key), event.after)
        return
      case 'delete':
        this.#remove(rows, event)
        return
      case 'update':
        this.#update(rows, event)
        return
      default:
        event satisfies never
    }
  }

  #update(rows: Rows, event: ChangeEvent & { readonly op: 'update' }): void {
    // The row number of a table without key is not among the columns, and such a test table never changes it.
    const names = Object.keys(event.key ?? {})
    const isKeyed = names.every((name) => name in event.after)
    const old = isKeyed && event.before !== null ? keyText(Object.fromEntries(names.map((name) => [name, event.before?.[name] ?? null]))) : keyText(event.key)
    rows.delete(requireRow(rows, old, event.before))
    rows.set(this.#placeOf(event.key), event.after as ChangeRow) // full: this source leaves no column out
  }

  #remove(rows: Rows, event: ChangeEvent & { readonly op: 'delete' }): void {
    rows.delete(requireRow(rows, keyText(event.key), event.beforeKind === 'full' ? event.before : null))
  }

  /** A key with a NULL, which SQLite lets many rows have, tells no row from another. */
  #placeOf(key: object | null): string {
    const hasNull = Object.values(key ?? {}).includes(null)
    return hasNull ? `${keyText(key)}#${this.#unkeyed += 1}` : keyText(key)
  }

  #of(table: string): Rows {
    const known = this.#tables.get(table)
    if (known !== undefined) return known
    const rows: Rows = new Map()
    this.#tables.set(table, rows)
    return rows
  }
}

/** Where the row is. One whose key has a NULL is found by all of its values. */
function requireRow(rows: Rows, key: string, before: object | null): string {
  const place = rows.has(key) ? key : [...rows].find(([other, row]) => other.startsWith(`${key}#`) && isDeepStrictEqual(row, before))?.[0]
  const row = place === undefined ? undefined : rows.get(place)
  if (place === undefined || row === undefined) throw new Error(`no row of the key ${key}`)
  if (before !== null && !isDeepStrictEqual(row, before)) throw new Error(`before image of ${key} is not the row: ${shown(before)} and not ${shown(row)}`)
  return place
}

function shown(row: object): string {
  return JSON.stringify(row, (_name, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`
    if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`
    // JSON makes NULL of it, and two rows would look the same.
    return value === Infinity || value === -Infinity ? `f${value}` : value
  })
}

/** Tells classes apart: 1n, 1 and '1' are three keys. */
export function keyText(key: object | null): string {
  return shown(key ?? {})
}
