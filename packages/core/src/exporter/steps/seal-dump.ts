import { rootDigest } from '../../dump/digest.ts'
import { manifestText } from '../../dump/encryption/manifest-text.ts'
import { MANIFEST_VERSION, type Manifest, type ManifestObject } from '../../dump/manifest.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import { GENERATOR } from '../generator.ts'
import type { ExportContext } from '../export-context.ts'
import type { ChunkRecord, ExportState, StreamState } from '../export-state.ts'
import type { HeldJob } from '../export-store.ts'
import { extensionOf, objectKey, objectPath } from '../object-path.ts'
import { exportKey } from '../seal-object.ts'
import { tableRows } from '../table-rows.ts'

/** The manifest is written last: with it the dump is complete, without it it is none. */
export async function sealDump(context: ExportContext, { job, signal }: { readonly job: HeldJob; readonly signal: AbortSignal }): Promise<void> {
  const completedAtMs = context.runtime.now()
  const manifest = await signed(context, job.state, await makeManifest(context, job.state, completedAtMs))
  const bytes = new TextEncoder().encode(`${JSON.stringify(manifest, undefined, 1)}\n`)
  await context.storage.put(objectKey(job.state.id, 'manifest.json'), bytes, { contentType: 'application/json', signal })
  await job.update((state) => ({ ...state, status: 'completed', completedAtMs, isCleanupDue: true, failures: 0, error: undefined }))
}

async function makeManifest(context: ExportContext, state: ExportState, completedAtMs: number): Promise<Manifest> {
  const { plan, view, spec } = state
  if (plan === undefined || view === undefined) throw new TidemarkError('INTERNAL', 'An export without a plan was to be sealed.')
  const rows = tableRows(state)
  const objects: ManifestObject[] = []
  for (const [index, stream] of state.streams.entries()) objects.push(...await objectsOf(context, { state, index, stream }))
  return {
    kind: 'tidemark-dump',
    version: MANIFEST_VERSION,
    id: state.id,
    generator: GENERATOR,
    dialect: state.dialect,
    engineVersion: plan.engineVersion,
    format: spec.format,
    layout: spec.layout,
    content: spec.selection.content,
    namedTables: spec.selection.tables?.map(({ name }) => name),
    consistency: { kind: view.consistency, cut: view.cut },
    schemaHash: plan.schemaHash,
    render: spec.render,
    partBytes: plan.partBytes,
    tables: plan.tables.map((table, index) => ({ ...table, rows: rows[index] ?? 0 })),
    objects,
    sha256: await rootDigest(objects.flatMap((object) => object.chunks.map((chunk) => chunk.sha256))),
    notes: plan.notes,
    startedAtMs: state.createdAtMs,
    completedAtMs,
  }
}

interface StreamRef {
  readonly state: ExportState
  readonly index: number
  readonly stream: StreamState
}

async function objectsOf(context: ExportContext, { state, index, stream }: StreamRef): Promise<readonly ManifestObject[]> {
  const records = await context.store.chunks(state, index)
  const volumes = state.spec.layout === 'directory' ? records.map((record) => [record]) : splitVolumes(stream, records)
  const extension = extensionOf(context, state.spec, stream)
  return volumes.map((chunks, volume) => ({
    path: objectPath(state, index, { volume, extension }),
    role: stream.role,
    table: stream.table,
    rows: chunks.reduce((sum, chunk) => sum + chunk.rows, 0),
    bytes: chunks.reduce((sum, chunk) => sum + chunk.storedBytes, 0),
    compression: state.spec.compression,
    chunks: chunks.map(({ bytes, sha256 }) => ({ bytes, sha256 })),
  }))
}

function splitVolumes({ volumes }: StreamState, records: readonly ChunkRecord[]): readonly (readonly ChunkRecord[])[] {
  let from = 0
  return volumes.map(({ chunks }) => records.slice(from, from += chunks))
}

/** Signed where it is encrypted: nothing can be taken out of the dump then, or put in from another. */
async function signed(context: ExportContext, state: ExportState, manifest: Manifest): Promise<Manifest> {
  const key = await exportKey(context, state)
  if (key === undefined || state.spec.keyId === undefined) return manifest
  const encryption = { algorithm: 'AES-256-GCM', keyId: state.spec.keyId, keyCheck: key.check, signature: '' } as const
  const signature = await key.digest(new TextEncoder().encode(manifestText({ ...manifest, encryption })))
  return { ...manifest, encryption: { ...encryption, signature } }
}
