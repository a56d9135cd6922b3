import { spawn } from 'node:child_process'
import type { ExportConnection, ExportSelection, ExportView, RenderOptions, ViewRef } from '@tidemark/core/adapter'

export const ALL: ExportSelection = { exclude: [], excludePatterns: [], content: 'all' }
export const RENDER: RenderOptions = { maxStatementBytes: 100_000, keepRowids: false }

export interface DumpOptions {
  readonly selection?: ExportSelection
  readonly render?: Partial<RenderOptions>
  readonly bytes?: (page: number) => number
}

/** The view, and the bytes that the exporter would write of it. */
export async function dump(connection: ExportConnection, options: DumpOptions = {}): Promise<{ readonly sql: Buffer; readonly view: ExportView; readonly ref: ViewRef }> {
  const selection = options.selection ?? ALL
  const ref = await connection.createView({ viewId: 'dump', consistency: 'snapshot', selection })
  const view = await connection.openView({ ref, selection, render: { ...RENDER, ...options.render } })
  return { sql: await readDump(view, options.bytes), view, ref }
}

export async function readDump(view: ExportView, bytes: (page: number) => number = () => 1 << 18): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for (const section of view.plan.sections) {
    if (section.kind === 'statements') parts.push(...section.statements.map((statement) => Buffer.from(`${statement}\n`)))
    else for (const block of await readBlocks(view, section.table, bytes)) parts.push(block.bytes)
  }
  return Buffer.concat(parts)
}

export async function readBlocks(view: ExportView, table: number, bytes: (page: number) => number): Promise<readonly { readonly bytes: Uint8Array; readonly last: string; readonly rows: number }[]> {
  const blocks = []
  let after: string | undefined
  for (let page = 0; ; page++) {
    const { blocks: read, isLast } = await view.readBlocks?.({ table, after, bytes: bytes(page) }) ?? { blocks: [], isLast: true }
    // Their memory is the next page's.
    blocks.push(...read.map((block) => ({ ...block, bytes: Buffer.from(block.bytes) })))
    after = read.at(-1)?.last ?? after
    if (isLast) return blocks
  }
}

/** Through the engine's own shell, with the options that a user would not give left out. */
export async function loadWithShell(url: string, database: string, sql: Buffer, options: readonly string[] = []): Promise<void> {
  const { hostname, port, username, password } = new URL(url)
  const shell = spawn('mysql', ['--protocol=tcp', '-h', hostname, '-P', port, '-u', decodeURIComponent(username), '--skip-ssl', ...options, database], {
    env: { ...process.env, MYSQL_PWD: decodeURIComponent(password) }, stdio: ['pipe', 'ignore', 'pipe'],
  })
  let complaint = ''
  shell.stderr.on('data', (text: Buffer) => { complaint += text.toString() })
  shell.stdin.on('error', () => {})
  shell.stdin.end(sql)
  const code = await new Promise<number | null>((resolve, reject) => {
    shell.on('error', reject)
    shell.on('close', resolve)
  })
  if (code !== 0) throw new Error(`the shell ended with ${code}: ${complaint}`)
}
