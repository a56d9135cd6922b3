import * as v from 'valibot'
import type { AbortOptions } from '../dialect/source.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import { collectBytes } from './collect-bytes.ts'
import { rootDigest } from './digest.ts'
import { DUMP_FORMATS, MANIFEST_VERSION, type Manifest } from './manifest.ts'

const MAX_MANIFEST_BYTES = 256 * 1_048_576

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const digest = v.pipe(v.string(), v.regex(/^[\da-f]{64}$/))
const path = v.pipe(v.string(), v.regex(/^(?!.*(^|\/)\.{0,2}(\/|$))[^\\]+$/))

/** What is relied on. Fields that a later version adds are let be. */
const manifestSchema = v.looseObject({
  kind: v.literal('tidemark-dump'),
  version: count,
  id: v.string(),
  dialect: v.string(),
  format: v.picklist(DUMP_FORMATS),
  layout: v.picklist(['single', 'directory']),
  partBytes: count,
  render: v.looseObject({ maxStatementBytes: count, keepRowids: v.boolean() }),
  consistency: v.looseObject({ kind: v.picklist(['snapshot', 'corrected', 'fuzzy']) }),
  encryption: v.optional(v.looseObject({ algorithm: v.literal('AES-256-GCM'), keyId: v.string(), keyCheck: v.string(), signature: digest })),
  tables: v.array(v.looseObject({ name: v.string(), columns: v.array(v.looseObject({ name: v.string() })), key: v.array(v.string()), rows: count })),
  objects: v.array(v.looseObject({ path, role: v.picklist(['dump', 'before', 'rows', 'after']), rows: count, bytes: count, chunks: v.array(v.looseObject({ bytes: count, sha256: digest })) })),
  sha256: digest,
})

/** What a dump says of itself. Errors: `DUMP_INCOMPLETE` without one, `DUMP_NEWER`, `DUMP_CORRUPT`, `STORAGE_*`. */
export async function readManifest(storage: ObjectStorage, id: string, { signal }: AbortOptions = {}): Promise<Manifest> {
  const text = new TextDecoder().decode(await readWhole(storage, `${id}/manifest.json`, signal))
  const value = parse(text)
  const { version } = Object(value) as { readonly version?: unknown } // an object of whatever it is
  if (typeof version === 'number' && version > MANIFEST_VERSION) throw new TidemarkError('DUMP_NEWER', `The dump has version ${version}; this release knows ${MANIFEST_VERSION}.`)
  const parsed = v.safeParse(manifestSchema, value)
  if (!parsed.success) throw corrupt()
  const manifest = value as Manifest // as the schema has just found
  const digests = manifest.objects.flatMap(({ chunks }) => chunks.map(({ sha256 }) => sha256))
  if (await rootDigest(digests) !== manifest.sha256) throw corrupt()
  return manifest
}

async function readWhole(storage: ObjectStorage, key: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    await using body = await storage.get(key, { signal })
    return await collectBytes(body, MAX_MANIFEST_BYTES)
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'OBJECT_UNKNOWN') throw error
    throw new TidemarkError('DUMP_INCOMPLETE', 'There is no manifest of this dump.', { cause: error })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw corrupt()
  }
}

function corrupt(): TidemarkError {
  return new TidemarkError('DUMP_CORRUPT', 'The manifest of the dump (manifest.json) is not what was written.')
}
