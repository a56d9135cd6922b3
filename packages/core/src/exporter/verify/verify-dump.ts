import type { ExportSource } from '../../dialect/export-source.ts'
import type { AbortOptions } from '../../dialect/source.ts'
import type { Compression } from '../../dump/compression.ts'
import type { DumpFormat } from '../../dump/dump-format.ts'
import { builtInFormats } from '../../dump/built-in-formats.ts'
import { DumpKeys, type EncryptionInput } from '../../dump/encryption/dump-keys.ts'
import { openDump } from '../../dump/encryption/open-dump.ts'
import { gzip } from '../../dump/gzip.ts'
import { readManifest } from '../../dump/read-manifest.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { systemRuntime } from '../../runtime/system-runtime.ts'
import type { ObjectStorage } from '../../storage/object-storage.ts'
import { verifyObjects } from './verify-objects.ts'
import { Findings, type VerifyMode, type VerifyReport } from './verify-report.ts'
import { verifyRows } from './verify-rows.ts'

export interface VerifyOptions extends AbortOptions {
  /** Default `objects`. */
  readonly mode?: VerifyMode | undefined
  /** The database into which the dump was loaded. `rows` and `deep` need it. */
  readonly against?: ExportSource | undefined
}

export interface VerifyDumpRequest extends VerifyOptions {
  readonly storage: ObjectStorage
  readonly id: string
  readonly formats?: readonly DumpFormat[] | undefined
  readonly compressions?: readonly Compression[] | undefined
  /** Of an encrypted dump. */
  readonly encryption?: EncryptionInput | undefined
  /** Default: the host's clock. */
  readonly runtime?: Runtime | undefined
}

/**
 * Looks whether a dump is what it was when it was written. Needs the storage only, not the job that made it.
 *
 * What is wrong with the dump is in the report. Errors: `DUMP_INCOMPLETE`, `DUMP_NEWER`, `DUMP_CORRUPT` for the manifest itself, `DUMP_FOREIGN`,
 * `DUMP_KEY_MISSING`, `DUMP_KEY_WRONG`, `SECRET_MISSING`, `NOT_SUPPORTED`, `CONFIG_INVALID`, `STORAGE_*`, `SOURCE_*`.
 */
export async function verifyDump(request: VerifyDumpRequest): Promise<VerifyReport> {
  const { storage, id, mode = 'objects', against, formats = [], compressions = [], signal = new AbortController().signal } = request
  if (mode !== 'objects' && against === undefined) throw needsDatabase()
  const manifest = await readManifest(storage, id, { signal })
  const format = [...formats, ...builtInFormats].find(({ name }) => name === manifest.format)
  if (manifest.format !== 'sql' && format === undefined && mode !== 'objects') throw new TidemarkError('NOT_SUPPORTED', `Comparing needs the format "${manifest.format}".`)
  const encryption = await openDump(manifest, new DumpKeys(request.encryption))
  const findings = new Findings()
  if (mode !== 'rows') await verifyObjects(manifest, findings, { storage, id, signal, encryption, compressionOf: (name) => [gzip, ...compressions].find((one) => one.name === name) })
  if (against !== undefined && mode !== 'objects') {
    await verifyRows({ manifest, against, format, encryption, findings, signal, isDeep: mode === 'deep', runtime: request.runtime ?? systemRuntime() })
  }
  return { id, mode, ok: findings.all.length === 0, ...findings.counts, findings: findings.all }
}

function needsDatabase(): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', 'Verifying rows needs a database to compare with.', { issues: [{ path: 'against', message: 'Must be the database into which the dump was loaded.' }] })
}
