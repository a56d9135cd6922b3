import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import type { Compression } from './compression.ts'
import { collectBytes } from './collect-bytes.ts'
import { sha256Hex } from './digest.ts'
import type { OpenedDump } from './encryption/open-dump.ts'
import type { ManifestObject } from './manifest.ts'

export interface ReadChunksRequest {
  readonly storage: ObjectStorage
  /** Of the dump. */
  readonly id: string
  readonly object: ManifestObject
  /** Of the chunks, the first that is wanted. Default 0. */
  readonly from?: number | undefined
  readonly compressionOf: (name: string) => Compression | undefined
  /** Of a dump that is encrypted. */
  readonly encryption?: OpenedDump | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The chunks of an object as they were rendered, each only once its digest is what the manifest says. Memory: two chunks.
 *
 * Errors: `DUMP_CORRUPT` with the object and the chunk; `NOT_SUPPORTED` for a compression that isn't here; `STORAGE_*`.
 */
export async function* readChunks(request: ReadChunksRequest): AsyncGenerator<Uint8Array> {
  const { storage, id, object, from = 0, signal } = request
  const begin = firstRead(request)
  await using body = await open(storage, `${id}/${object.path}`, { object, signal, start: begin.byte })
  if (body.object.bytes !== object.bytes) throw corrupt(object, 0, `It has ${body.object.bytes} bytes instead of ${object.bytes}.`)
  const stored = decoded(body, request)
  let index = begin.chunk
  for await (const bytes of cut(stored, object, begin.chunk)) {
    const { sha256 } = object.chunks[index] ?? {}
    if (index >= from) {
      if (await (request.encryption?.digest(bytes) ?? sha256Hex(bytes)) !== sha256) throw corrupt(object, index, 'Its digest is another.')
      yield bytes
    }
    index += 1
  }
}

interface Beginning {
  readonly chunk: number
  readonly byte: number
}

/** Within what is compressed or encrypted there is no going to a place, so that it is read from its beginning. */
function firstRead({ object: { chunks, bytes, compression }, encryption, from = 0 }: ReadChunksRequest): Beginning {
  const byte = chunks.slice(0, from).reduce((sum, chunk) => sum + chunk.bytes, 0)
  return compression === undefined && encryption === undefined && byte < bytes ? { chunk: from, byte } : { chunk: 0, byte: 0 }
}

interface OpenOptions extends Pick<ReadChunksRequest, 'object' | 'signal'> {
  readonly start: number
}

async function open(storage: ObjectStorage, key: string, { object, signal, start }: OpenOptions): ReturnType<ObjectStorage['get']> {
  try {
    return await storage.get(key, { signal, range: start === 0 ? undefined : { start } })
  } catch (error) {
    throw error instanceof TidemarkError && error.code === 'OBJECT_UNKNOWN' ? corrupt(object, 0, 'It is not there.') : error
  }
}

/** What a damaged object does to its decompression is the object's fault; what the storage says stays as it is. */
async function* decoded(body: AsyncIterable<Uint8Array>, request: ReadChunksRequest): AsyncGenerator<Uint8Array> {
  try {
    yield* decompressed(request.encryption === undefined ? body : decrypted(body, request.object, request.encryption), request)
  } catch (error) {
    throw error instanceof TidemarkError ? error : corrupt(request.object, 0, 'It can\'t be decompressed.')
  }
}

/** Nothing of it is given on before all of it has proved to be what was written. */
async function* decrypted(body: AsyncIterable<Uint8Array>, object: ManifestObject, encryption: OpenedDump): AsyncGenerator<Uint8Array> {
  const bytes = await encryption.open(object, await collectBytes(body, object.bytes))
  if (bytes === undefined) throw corrupt(object, 0, 'It is not what was encrypted.')
  yield bytes
}

function decompressed(body: AsyncIterable<Uint8Array>, { object, compressionOf }: ReadChunksRequest): AsyncIterable<Uint8Array> {
  if (object.compression === undefined) return body
  const compression = compressionOf(object.compression)
  if (compression === undefined) throw new TidemarkError('NOT_SUPPORTED', `The dump needs the compression "${object.compression}".`)
  return compression.decompress(body)
}

/** Into pieces of the sizes that the manifest has. */
async function* cut(source: AsyncIterable<Uint8Array>, object: ManifestObject, from: number): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array(0)
  try {
    for (const [index, { bytes }] of object.chunks.entries()) {
      if (index < from) continue
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
