import { Exporter, readManifest, verifyDump, type ExportRequest, type ExportSource, type Manifest } from '@tidemark/core'
import { sha256Hex, type ObjectStorage } from '@tidemark/core/adapter'
import { memoryStateStore, MortalProcess } from '@tidemark/core/testing'
import { ConformanceError } from '../assert/conformance-error.ts'
import { readBytes } from './storage-case.ts'

export interface KilledExport {
  /** Gives the same at each reading. */
  readonly source: () => ExportSource
  /** A place where nothing is. */
  readonly storage: ObjectStorage
  readonly request: ExportRequest
  /** The moment at which each process ends, one after the other; the last process lives. */
  readonly kills: readonly number[]
}

export interface KilledExportResult {
  /** What each object is, by its path in the dump: its digest, or of the manifest what another export of the same rows says too. */
  readonly objects: Readonly<Record<string, string>>
  /** Of the last process: how many there are to kill it at. */
  readonly moments: number
}

/**
 * One export by several processes, each killed at a moment of its own life. What can be read at any time is what is there in the end, and no upload is left
 * where the storage lists them.
 *
 * Errors: `ConformanceError` where that does not hold.
 */
export async function exportThroughKills({ source, storage, request, kills }: KilledExport): Promise<KilledExportResult> {
  const state = memoryStateStore()
  const seen: [path: string, digest: string][] = []
  let id: string | undefined
  let moments = 0
  for (const kill of [...kills, undefined]) {
    const process = new MortalProcess(kill)
    // The same worker goes on at once; another would wait for the lease to run out.
    const exporter = new Exporter({ source: source(), storage: process.storage(storage), state: process.store(state), instance: 'one' })
    try {
      id ??= (await exporter.start(request)).id
      await exporter.finish(id)
    } catch (error) {
      if (!process.isDead) throw error
    } finally {
      await exporter[Symbol.asyncDispose]().catch(() => undefined)
    }
    await using reader = new Exporter({ source: source(), storage, state })
    // Killed before its answer, it may be known to the state alone.
    id ??= (await reader.list())[0]?.exportId
    if (id !== undefined) seen.push(...Object.entries(await objectsOf(storage, id)))
    if (kill === undefined) await reader.sweep({ uploadAgeMs: -1 })
    moments = process.moments
  }
  if (id === undefined) throw new ConformanceError('no export was made')
  const objects = await objectsOf(storage, id)
  for (const [path, digest] of seen) {
    if (objects[path] !== digest) throw new ConformanceError(`${path} could be read before it was what it is in the end`)
  }
  const { findings } = await verifyDump({ storage, id })
  if (findings.length > 0) throw new ConformanceError(`the dump is damaged: ${findings.map(({ message }) => message).join(' ')}`)
  const uploads = await storage.listUploads?.('')
  if (uploads !== undefined && uploads.length > 0) throw new ConformanceError(`${uploads.length} uploads are left`)
  return { objects, moments }
}

async function objectsOf(storage: ObjectStorage, id: string): Promise<Readonly<Record<string, string>>> {
  const { objects } = await storage.list({ prefix: `${id}/` })
  const entries = await Promise.all(objects.map(async ({ key }) => {
    const path = key.slice(id.length + 1)
    return [path, path === 'manifest.json' ? contentOf(await readManifest(storage, id)) : await sha256Hex(await readBytes(storage, key))] as const
  }))
  return Object.fromEntries(entries)
}

/** What differs between two exports of the same rows are times and names of their own. */
function contentOf({ sha256, objects, tables }: Manifest): string {
  return JSON.stringify({ sha256, objects, tables })
}
