import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import { DriverRenderer, type RenderersRequest, type RenderRequest } from '@tidemark/sqlite'
import type { RowValues } from '@tidemark/core/adapter'

// The thread of a `WorkerRenderer`: told once what to render of which file, it takes requests in order and answers each with its page, whose buffers go with
// it, or with nothing.

export type RenderMessage =
  /** Begin to see the file as it is now, and for as long as the thread lives. Answered with `held`. */
  | { readonly id: number; readonly hold: string }
  | { readonly open: RenderersRequest }
  | { readonly id: number; readonly request: RenderRequest }

let database: DatabaseSync | undefined
let renderer: DriverRenderer | undefined
/** Of the table that is being read. */
let kept: { readonly sql: string; readonly statement: StatementSync } | undefined
let last: Promise<void> = Promise.resolve()

parentPort?.on('message', (message: RenderMessage) => {
  last = last.then(() => ('open' in message ? open(message.open) : 'hold' in message ? hold(message) : answer(message)))
})

function hold({ id, hold: path }: Extract<RenderMessage, { readonly hold: string }>): void {
  try {
    database ??= new DatabaseSync(path, { readOnly: true })
    if (database.isTransaction) database.exec('ROLLBACK')
    database.exec('BEGIN; SELECT count(*) FROM sqlite_schema')
    parentPort?.postMessage({ id, held: true }, [])
  } catch {
    parentPort?.postMessage({ id }, [])
  }
}

function open(request: RenderersRequest): void {
  try {
    const reading = database ??= new DatabaseSync(request.token, { readOnly: true })
    renderer = new DriverRenderer(request, (sql, ...parameters) => Promise.resolve(query(reading, sql, parameters)))
  } catch {
    // Every request is answered with nothing then.
  }
}

async function answer({ id, request }: Extract<RenderMessage, { readonly request: RenderRequest }>): Promise<void> {
  try {
    const page = await renderer?.render(request)
    // Statements of a group share a buffer, and nobody else has it; a Uint8Array of ours is never shared memory.
    parentPort?.postMessage({ id, page }, [...new Set(page?.blocks.map(({ bytes }) => bytes.buffer as ArrayBuffer))])
  } catch {
    parentPort?.postMessage({ id }, [])
  }
}

/** Keys and literals, which are texts. */
function query(reading: DatabaseSync, sql: string, parameters: readonly bigint[]): readonly RowValues[] {
  const rows: readonly unknown[] = (parameters.length === 0 ? prepare(reading, sql) : keep(reading, sql)).all(...parameters)
  return rows as readonly RowValues[] // as setReturnArrays has them
}

function keep(reading: DatabaseSync, sql: string): StatementSync {
  if (kept?.sql !== sql) kept = { sql, statement: prepare(reading, sql) }
  return kept.statement
}

function prepare(reading: DatabaseSync, sql: string): StatementSync {
  const statement = reading.prepare(sql)
  statement.setReturnArrays(true)
  return statement
}
