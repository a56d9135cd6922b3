import { DatabaseSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import { DriverRenderer, type RenderersRequest, type RenderRequest } from '@tidemark/sqlite'
import type { RowValues } from '@tidemark/core/adapter'

// The thread of a `WorkerRenderer`: told once what to render of which file, it takes requests in order and answers each with its page, whose buffers go with
// it, or with nothing.

export type RenderMessage =
  | { readonly open: RenderersRequest }
  | { readonly id: number; readonly request: RenderRequest }

let renderer: DriverRenderer | undefined
let last: Promise<void> = Promise.resolve()

parentPort?.on('message', (message: RenderMessage) => {
  last = last.then(() => ('open' in message ? open(message.open) : answer(message)))
})

function open(request: RenderersRequest): void {
  try {
    const database = new DatabaseSync(request.token, { readOnly: true })
    renderer = new DriverRenderer(request, (sql) => Promise.resolve(query(database, sql)))
  } catch {
    // Every request is answered with nothing then.
  }
}

async function answer({ id, request }: Extract<RenderMessage, { readonly id: number }>): Promise<void> {
  try {
    const page = await renderer?.render(request)
    // Statements of a group share a buffer, and nobody else has it; a Uint8Array of ours is never shared memory.
    parentPort?.postMessage({ id, page }, [...new Set(page?.blocks.map(({ bytes }) => bytes.buffer as ArrayBuffer))])
  } catch {
    parentPort?.postMessage({ id }, [])
  }
}

/** Keys and literals, which are texts. */
function query(database: DatabaseSync, sql: string): readonly RowValues[] {
  const statement = database.prepare(sql)
  statement.setReturnArrays?.(true)
  const rows: readonly unknown[] = statement.all()
  return rows.map((row) => (Array.isArray(row) ? row : Object.values(row as object))) as readonly RowValues[]
}
