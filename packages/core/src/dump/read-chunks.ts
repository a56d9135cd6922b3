import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import type { Compression } from './compression.ts'
import { collectBytes } from './collect-bytes.ts'
import { sha256Hex } from './digest.ts'
import type { ManifestObject } from './manifest.ts'

export interface ReadChunksRequest {
  readonly storage: ObjectStorage
  /** Of the dump. */
  readonly id: string
  readonly object: ManifestObject
  readonly compressionOf: (name: string) => Compression | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The chunks of an object as they were rendered, each only once its digest is what the manifest says. Memory: two chunks.
 *
 * Errors: `DUMP_CORRUPT` with the object and the chunk; `NOT_SUPPORTED` for a compression or encryption that isn't here; `STORAGE_*`.
 */
export async function* readChunks(request: ReadChunksRequest): AsyncGenerator<Uint8Array> {
  const { storage, id, object, signal } = request
  await using body = await open(storage, `${id}/${object.path}`, { object, signal })
  if (body.object.bytes !== object.bytes) throw corrupt(object, 0, `It has ${body.object.bytes} bytes instead of ${object.bytes}.`)
  const stored = decoded(body, request)
  let index = 0
  for await (const bytes of cut(stored, object)) {
    const { sha256 } = object.chunks[index] ?? {}
    if (await sha256Hex(bytes) !== sha256) throw corrupt(object, index, 'Its digest is another.')
    yield bytes
    index += 1
  }
}

async function open(storage: ObjectStorage, key: string, { object, signal }: Pick<ReadChunksRequest, 'object' | 'signal'>): ReturnType<ObjectStorage['get']> {
  try {
    return await storage.get(key, { signal })
  } catch (error) {
    throw error instanceof TidemarkError && error.code === 'OBJECT_UNKNOWN' ? corrupt(object, 0, 'It is not there.') : error
  }
}

/** What a damaged object does to its decompression is the object's fault; what the storage says stays as it is. */
async function* decoded(body: AsyncIterable<Uint8Array>, request: ReadChunksRequest): AsyncGenerator<Uint8Array> {
  try {
    yield* decompressed(body, request)
  } catch (error) {
    throw error instanceof TidemarkError ? error : corrupt(request.object, 0, 'It can\'t be decompressed.')
  }
}

function decompressed(body: AsyncIterable<Uint8Array>, { object, compressionOf }: ReadChunksRequest): AsyncIterable<Uint8Array> {
  if (object.encryption !== undefined) throw new TidemarkError('NOT_SUPPORTED', 'The dump is encrypted.')
  if (object.compression === undefined) return body
  const compression = compressionOf(object.compression)
  if (compression === undefined) throw new TidemarkError('NOT_SUPPORTED', `The dump needs the compression "${object.compression}".`)
  return compression.decompress(body)
}

/** Into pieces of the sizes that the manifest has. */
async function* cut(source: AsyncIterable<Uint8Array>, object: ManifestObject): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array(0)
  try {
    for (const [index, { bytes }] of object.chunks.entries()) {
      const pieces = [rest]
      let length = rest.length
      while (length < bytes) {
        const next = await iterator.next()
        if (next.done === true) throw corrupt(object, index, 'It ends too early.')
        pieces.push(next.value)
        length += next.value.length
      }
      const joined = await collectBytes(each(pieces), Number.MAX_SAFE_INTEGER)
      rest = joined.subarray(bytes)
      yield joined.subarray(0, bytes)
    }
    if (rest.length > 0 || (await iterator.next()).done !== true) throw corrupt(object, object.chunks.length, 'There is more than all of its chunks.')
  } finally {
    await iterator.return?.()
  }
}

async function* each(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}

function corrupt({ path }: ManifestObject, chunk: number, reason: string): TidemarkError {
  return new TidemarkError('DUMP_CORRUPT', `The object ${path} is not what its manifest says, in chunk ${chunk}. ${reason}`, { detail: `${path}#${chunk}` })
}
