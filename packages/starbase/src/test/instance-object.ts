import { DurableObject } from 'cloudflare:workers'
import type { ObjectContext, ObjectQuery, StarbaseObject } from '../object-contract.ts'

/** An object that keeps the contract which StarbaseDB's has with its plugins: queries one by one, one alarm, a table of its own for each feature. */
export class InstanceObject extends DurableObject implements StarbaseObject {
  readonly #storage: ObjectContext['storage'] & { getAlarm(): Promise<number | null> }
  /** When its alarm was called. */
  readonly alarms: number[] = []

  constructor(context: ObjectContext & { readonly storage: { getAlarm(): Promise<number | null> } }, environment: unknown) {
    super(context, environment)
    this.#storage = context.storage
    void this.executeQuery({ sql: 'CREATE TABLE IF NOT EXISTS tmp_cache (query TEXT PRIMARY KEY, results TEXT)' })
  }

  /** What plugins get as `dataSource.rpc`. */
  init(): Pick<StarbaseObject, 'executeQuery' | 'getAlarm' | 'setAlarm' | 'deleteAlarm'> {
    return {
      executeQuery: (query) => this.executeQuery(query), getAlarm: () => this.getAlarm(), setAlarm: (at) => this.setAlarm(at), deleteAlarm: () => this.deleteAlarm(),
    }
  }

  async executeQuery({ sql, params = [], isRaw = false }: ObjectQuery): Promise<unknown> {
    const cursor = this.#storage.sql.exec(sql, ...params) as Cursor // the runtime's own
    if (!isRaw) return cursor.toArray()
    const rows = Array.from(cursor.raw())
    return { columns: cursor.columnNames, rows, meta: { rows_read: cursor.rowsRead, rows_written: cursor.rowsWritten } }
  }

  async fetch(request: Request): Promise<Response> {
    return new Response(`nothing at ${new URL(request.url).pathname}`, { status: 400 })
  }

  async alarm(): Promise<void> {
    this.alarms.push(Date.now())
  }

  getAlarm(): Promise<number | null> {
    return this.#storage.getAlarm()
  }

  setAlarm(at: number | Date): Promise<void> {
    return this.#storage.setAlarm(Number(at))
  }

  deleteAlarm(): Promise<void> {
    return this.#storage.deleteAlarm()
  }

}

interface Cursor {
  readonly columnNames: readonly string[]
  readonly rowsRead: number
  readonly rowsWritten: number
  raw(): Iterable<readonly unknown[]>
  toArray(): readonly unknown[]
}
