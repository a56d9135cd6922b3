import type { ImportTarget } from '../dialect/import-target.ts'
import type { Compression } from '../dump/compression.ts'
import type { DumpFormat } from '../dump/dump-format.ts'
import type { OpenedDump } from '../dump/encryption/open-dump.ts'
import type { Manifest, ManifestTable } from '../dump/manifest.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import type { ImportPlace } from './import-place.ts'
import type { ImportSession } from './import-session.ts'
import { loadRowObject } from './load-row-object.ts'
import { loadSqlObject, type LoadObjectRequest } from './load-sql-object.ts'

export interface LoadDumpRequest {
  readonly session: ImportSession
  readonly manifest: Manifest
  readonly storage: ObjectStorage
  readonly target: ImportTarget
  /** `undefined`: SQL. */
  readonly format: DumpFormat | undefined
  readonly compressionOf: (name: string) => Compression | undefined
  readonly encryption: OpenedDump | undefined
}

/** From where the import stands. Gives the place after each slice. Errors: `TARGET_NOT_OWNED` before anything is written; `DUMP_CORRUPT`; `STATEMENT_FAILED`; `TARGET_*`. */
export async function* loadDump(request: LoadDumpRequest): AsyncGenerator<ImportPlace> {
  const { session, manifest, storage, compressionOf, encryption } = request
  const isForeign = isOfAnother(request.target, manifest)
  const tables = tablesIn(request.target, manifest)
  if (!session.hasBegun) await requireRoom(session, manifest, tables)
  if (isForeign && manifest.content !== 'data') yield* createTables(session, tables)
  for (const [index, object] of manifest.objects.entries()) {
    if (index < session.place.object) continue
    yield* loadObject({ session, index, object, read: { storage, id: manifest.id, compressionOf, encryption, signal: session.signal } }, { ...request, tables, isForeign })
  }
}

/** As the target has them. */
export function tablesIn(target: ImportTarget, manifest: Manifest): readonly ManifestTable[] {
  return isOfAnother(target, manifest) ? manifest.tables.map(localTable) : manifest.tables
}

function isOfAnother({ name }: ImportTarget, { dialect }: Manifest): boolean {
  return dialect !== name
}

interface Loading extends LoadDumpRequest {
  /** As the target has them. */
  readonly tables: readonly ManifestTable[]
  readonly isForeign: boolean
}

/** Definitions in another engine's words are of no use here; their tables have been created. */
function loadObject(request: LoadObjectRequest, { manifest, target, format, tables, isForeign }: Loading): AsyncGenerator<ImportPlace> | readonly ImportPlace[] {
  const { object } = request
  const [table, into] = object.table === undefined ? [] : [manifest.tables[object.table], tables[object.table]]
  if (object.role === 'rows' && format !== undefined && table !== undefined && into !== undefined) return loadRowObject({ ...request, format, table, into })
  return isForeign ? [] : loadSqlObject(request, target.rules)
}

/** A table that is there already is not ours to fill, except with `data`, which asks for that. */
async function requireRoom(session: ImportSession, { content }: Manifest, tables: readonly ManifestTable[]): Promise<void> {
  if (content === 'data') return
  const [taken] = await session.existing(tables.map(({ name }) => name))
  if (taken === undefined) return
  throw new TidemarkError('TARGET_NOT_OWNED', `The target has a table '${taken}' already.`, { remedy: 'Load into an empty database, or drop the table.' })
}

/** Before the first row. Their place is counted in `chunk`, which objects of rows don't use. */
async function* createTables(session: ImportSession, tables: readonly ManifestTable[]): AsyncGenerator<ImportPlace> {
  const { object, offset, chunk, bytes } = session.place
  if (object > 0 || offset > 0) return
  for (const [index, table] of tables.entries()) {
    if (index < chunk) continue
    await session.createTable(table, { object, offset, bytes, chunk: index + 1 })
    yield session.place
  }
}

/** Without the schema, which not every engine has. */
function localTable(table: ManifestTable): ManifestTable {
  return { ...table, name: table.name.slice(table.name.lastIndexOf('.') + 1) }
}
