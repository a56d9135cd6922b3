import { readChunks, type ReadChunksRequest } from '../../dump/read-chunks.ts'
import type { Manifest } from '../../dump/manifest.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { Findings } from './verify-report.ts'

/** Reads everything back. A damaged object is told and the next one looked at; a storage that does not answer ends it. */
export async function verifyObjects(manifest: Manifest, findings: Findings, request: Omit<ReadChunksRequest, 'object'>): Promise<void> {
  for (const object of manifest.objects) {
    findings.counts.objects += 1
    let chunk = 0
    try {
      for await (const bytes of readChunks({ ...request, object })) {
        chunk += 1
        findings.counts.chunks += 1
        findings.counts.bytes += bytes.length
      }
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'DUMP_CORRUPT') throw error
      const table = object.table === undefined ? undefined : manifest.tables[object.table]?.name
      findings.add('object', error.message, { object: object.path, chunk, table })
    }
  }
}
