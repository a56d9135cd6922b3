import type { DurableObjectStorage } from '@tidemark/cloudflare'

/** A table of the object's own, beside the copy. The peer has the same. */
export class Notes {
  readonly #sql: DurableObjectStorage['sql']

  constructor({ sql }: DurableObjectStorage) {
    this.#sql = sql
    sql.exec('CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL, expires_at INTEGER)')
  }

  add(body: string, expiresAtMs: number | null): void {
    this.#sql.exec('INSERT INTO notes (body, expires_at) VALUES (?, ?)', body, expiresAtMs)
  }

  all(): readonly string[] {
    return Array.from(this.#sql.exec('SELECT body FROM notes ORDER BY id').raw(), ([body]) => String(body))
  }

  /** Gives when the next of them expires. */
  removeExpired(nowMs: number): number | undefined {
    this.#sql.exec('DELETE FROM notes WHERE expires_at <= ?', nowMs)
    const [row] = Array.from(this.#sql.exec('SELECT min(expires_at) FROM notes').raw())
    return typeof row?.[0] === 'number' ? row[0] : undefined
  }
}
