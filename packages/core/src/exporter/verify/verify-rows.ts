import type { ExportSource, ExportView } from '../../dialect/export-source.ts'
import { sha256Hex } from '../../dump/digest.ts'
import type { DumpFormat } from '../../dump/dump-format.ts'
import type { OpenedDump } from '../../dump/encryption/open-dump.ts'
import type { Manifest, ManifestChunk, ManifestObject } from '../../dump/manifest.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { hex } from '../../util/hex.ts'
import { PageMeter } from '../chunks/page-meter.ts'
import type { StreamState } from '../export-state.ts'
import { makeChunks } from '../make-chunks.ts'
import { planStreams } from '../plan-streams.ts'
import type { Findings } from './verify-report.ts'

export interface VerifyRowsRequest {
  readonly manifest: Manifest
  /** The database into which the dump was loaded. */
  readonly against: ExportSource
  readonly format: DumpFormat | undefined
  readonly encryption: OpenedDump | undefined
  readonly findings: Findings
  readonly runtime: Runtime
  readonly isDeep: boolean
  readonly signal: AbortSignal
}

/**
 * Renders a database as the dump was rendered and compares the digests: equal ones mean that every cell is, with its type, since rendering is exact.
 * Nothing is kept in memory but a chunk at a time. Comparing takes as long as rendering did, without slices: a view that may be lost would be held open all the
 * while, which keeps the log of a SQLite file from beginning anew, so that one is copied here. Killed, it leaves its copy. Errors: `DUMP_FOREIGN` for a database of another engine; `SOURCE_*`.
 */
export async function verifyRows(request: VerifyRowsRequest): Promise<void> {
  const { manifest, against, isDeep, findings, signal } = request
  if (against.name !== manifest.dialect) throw new TidemarkError('DUMP_FOREIGN', `The dump is one of ${manifest.dialect}, the database one of ${against.name}.`)
  const selection = { tables: manifest.namedTables?.map((name) => ({ name })), exclude: [], excludePatterns: [], content: manifest.content } as const
  await using connection = await against.connectExport({ signal })
  const viewId = `verify_${hex(crypto.getRandomValues(new Uint8Array(16)))}`
  const ref = await connection.createView({ viewId, consistency: against.exports.consistencies[0] ?? 'fuzzy', selection, readsBlocks: manifest.format === 'sql' && manifest.content !== 'schema', signal })
  try {
    await using view = await connection.openView({ ref, selection, render: manifest.render, signal })
    await compare(view, request)
  } finally {
    await connection.dropView(ref)
  }
  if (!isDeep) return
  for (const line of await connection.checkIntegrity({ signal })) findings.add('integrity', line)
}

async function compare(view: ExportView, request: VerifyRowsRequest): Promise<void> {
  const { manifest, findings } = request
  const open = new Map<string, Expected>()
  for (const object of manifest.objects) expect(open, manifest, object)
  for (const stream of planStreams(manifest, view.plan.sections)) {
    const table = tableOf(view, stream)
    const expected = open.get(nameOf(stream.role, table))
    open.delete(nameOf(stream.role, table))
    // An empty table has no object in a directory.
    if (table !== undefined && !manifest.tables.some(({ name }) => name === table)) findings.add('schema', 'The dump does not have this table.', { table })
    else await compareStream(view, { ...request, stream, expected: expected?.chunks ?? [], table })
  }
  for (const { table, chunks } of open.values()) {
    if (chunks.length > 0) findings.add('schema', 'The database does not have what is in this object.', { table, object: chunks[0]?.path })
  }
}

interface ExpectedChunk extends ManifestChunk {
  readonly path: string
  readonly index: number
}

interface Expected {
  readonly table: string | undefined
  readonly chunks: ExpectedChunk[]
}

/** An object of an empty table has one chunk without bytes, which nothing renders. */
function expect(open: Map<string, Expected>, manifest: Manifest, { role, table: at, path, chunks }: ManifestObject): void {
  const table = at === undefined ? undefined : manifest.tables[at]?.name
  const expected = open.get(nameOf(role, table)) ?? { table, chunks: [] }
  expected.chunks.push(...chunks.map((chunk, index) => ({ ...chunk, path, index })).filter(({ bytes }) => bytes > 0))
  open.set(nameOf(role, table), expected)
}

interface StreamComparison extends VerifyRowsRequest {
  readonly stream: StreamState
  readonly expected: readonly ExpectedChunk[]
  readonly table: string | undefined
}

/** Up to the first difference: what comes after it is cut elsewhere, and would differ whatever is in it. */
async function compareStream(view: ExportView, { manifest, stream, expected, table, format, encryption, runtime, findings, signal }: StreamComparison): Promise<void> {
  const spec = { layout: manifest.layout, consistency: manifest.consistency.kind }
  const chunks = makeChunks({ view, stream, spec, format, chunkBytes: manifest.partBytes, meter: new PageMeter(runtime) })
  for (const { sha256, path, index } of expected) {
    const chunk = await chunks.next(signal)
    if (chunk === undefined) return findings.add('rows', 'The database has less than this.', { table, object: path, chunk: index })
    findings.counts.chunks += 1
    findings.counts.bytes += chunk.bytes.length
    if (await (encryption?.digest(chunk.bytes) ?? sha256Hex(chunk.bytes)) !== sha256) return findings.add('rows', 'The database differs within this chunk.', { table, object: path, chunk: index })
  }
  if (await chunks.next(signal) !== undefined) findings.add('rows', 'The database has more than the dump.', { table })
}

function tableOf(view: ExportView, { table }: StreamState): string | undefined {
  return table === undefined ? undefined : view.plan.tables[table]?.name
}

/** `before` and `after` are one stream each at most: sections of one kind that stand side by side are joined, and rows are between the two. */
function nameOf(role: StreamState['role'], table: string | undefined): string {
  return `${role} ${table ?? ''}`
}
