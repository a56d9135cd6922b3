import { sha256Hex } from '../dump/digest.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Chunk } from './chunks/chunk.ts'
import type { ExportContext } from './export-context.ts'
import type { ChunkRecord, StreamState } from './export-state.ts'
import type { HeldJob } from './export-store.ts'
import { extensionOf, objectKey, objectPath } from './object-path.ts'
import { sealObject } from './seal-object.ts'

/** Times that a stream is begun anew because its upload is lost, before that counts as an error. */
const MAX_RESTARTS = 3

const NOTHING = new Uint8Array(0)

/** What becomes of a stream's chunks in the storage. Each effect is named by its number and comes before the save that counts it. */
export class ChunkWriter {
  readonly #context: ExportContext
  readonly #job: HeldJob
  readonly #index: number

  constructor(context: ExportContext, job: HeldJob, index: number) {
    this.#context = context
    this.#job = job
    this.#index = index
  }

  get stream(): StreamState {
    const stream = this.#job.state.streams[this.#index]
    if (stream === undefined) throw new RangeError('There is no stream of this number.')
    return stream
  }

  async write(chunk: Chunk, signal: AbortSignal): Promise<void> {
    if (this.#job.state.spec.layout === 'directory') return this.#record(chunk, await this.#putObject(chunk, signal))
    if (chunk.isLast && this.#partsOfVolume() === 0) return this.#record(chunk, await this.#putWhole(chunk, signal))
    await this.#makeRoom(signal)
    return this.#record(chunk, await this.#putPart(chunk, signal))
  }

  /** A stream that has nothing more to give, though it did not look so: an empty table, or rows that went while a fuzzy copy was interrupted. */
  async finishEmpty(signal: AbortSignal): Promise<void> {
    const cursor = { section: this.stream.to }
    const { layout, keyId } = this.#job.state.spec
    const isSingle = layout === 'single'
    // What is encrypted says whether it is the last.
    const isLastDue = keyId !== undefined && this.#chunkCount() > 0
    if (isLastDue || (isSingle && this.#chunkCount() === 0)) return this.write({ bytes: NOTHING, rows: {}, rowCount: 0, cursor, isLast: true }, signal)
    if (isSingle && this.#partsOfVolume() > 0) await this.#endVolume()
    await this.#job.updateStream(this.#index, (stream) => ({ ...stream, phase: stream.uploadId === undefined ? 'done' : 'completing', cursor }))
  }

  /** Makes what was uploaded an object. Asked again after a kill, finds that it is one already. */
  async complete(signal: AbortSignal): Promise<void> {
    const { uploadId } = this.stream
    if (uploadId !== undefined) await this.#completeUpload(uploadId, signal)
    await this.#job.updateStream(this.#index, (stream) => ({ ...stream, phase: stream.cursor.section >= stream.to ? 'done' : 'open', uploadId: undefined }))
  }

  /** Begins the stream from its first row: what its upload held is gone. */
  async restart(cause: TidemarkError, signal: AbortSignal): Promise<void> {
    const { uploadId, restarts } = this.stream
    if (restarts >= MAX_RESTARTS) throw cause
    if (uploadId !== undefined) await this.#context.storage.abortUpload({ key: this.#key(), uploadId }, { signal })
    await this.#job.updateStream(this.#index, (stream) => ({
      ...stream, phase: 'open', cursor: { section: stream.from }, rows: {}, bytes: 0, storedBytes: 0, chunks: [], spilled: 0, volumes: [], uploadId: undefined, restarts: restarts + 1,
    }))
  }

  async #putObject(chunk: Chunk, signal: AbortSignal): Promise<ChunkRecord> {
    const number = this.#chunkCount()
    const key = this.#key(number)
    const path = key.slice(this.#job.state.id.length + 1)
    const { sha256, bytes } = await sealObject(this.#context, { state: this.#job.state, path, bytes: chunk.bytes, isLast: chunk.isLast })
    const { etag, bytes: storedBytes } = await this.#context.storage.put(key, bytes, { metadata: this.#metadata(), signal })
    return { bytes: chunk.bytes.length, sha256, rows: chunk.rowCount, storedBytes, etag }
  }

  /** A dump of one part needs no upload. */
  async #putWhole(chunk: Chunk, signal: AbortSignal): Promise<ChunkRecord> {
    const [sha256, { etag }] = await Promise.all([
      sha256Hex(chunk.bytes),
      this.#context.storage.put(this.#key(), chunk.bytes, { metadata: this.#metadata(), contentType: this.#contentType(), signal }),
    ])
    return { bytes: chunk.bytes.length, sha256, rows: chunk.rowCount, storedBytes: chunk.bytes.length, etag }
  }

  async #putPart(chunk: Chunk, signal: AbortSignal): Promise<ChunkRecord> {
    const uploadId = this.stream.uploadId ?? await this.#createUpload(signal)
    const number = this.#partsOfVolume() + 1
    const [sha256, { etag }] = await Promise.all([
      sha256Hex(chunk.bytes),
      this.#context.storage.putPart({ key: this.#key(), uploadId, number, bytes: chunk.bytes, signal }),
    ])
    return { bytes: chunk.bytes.length, sha256, rows: chunk.rowCount, storedBytes: chunk.bytes.length, etag }
  }

  /** The one effect that repeats: killed before the save, it leaves an upload that `sweep` finds. */
  async #createUpload(signal: AbortSignal): Promise<string> {
    const uploadId = await this.#context.storage.createUpload(this.#key(), { metadata: this.#metadata(), contentType: this.#contentType(), signal })
    await this.#job.updateStream(this.#index, (stream) => ({ ...stream, uploadId }))
    return uploadId
  }

  /** Goes on in another object when this one has as many parts as the storage allows. */
  async #makeRoom(signal: AbortSignal): Promise<void> {
    if (this.#partsOfVolume() < this.#context.storage.capabilities.maxParts) return
    await this.#endVolume()
    await this.complete(signal)
  }

  #endVolume(): Promise<void> {
    const chunks = this.#partsOfVolume()
    return this.#job.updateStream(this.#index, (stream) => ({ ...stream, phase: 'completing', volumes: [...stream.volumes, { chunks }] }))
  }

  async #record(chunk: Chunk, record: ChunkRecord): Promise<void> {
    const isUpload = this.stream.uploadId !== undefined
    const volumes = this.#job.state.spec.layout === 'single' && chunk.isLast ? [...this.stream.volumes, { chunks: this.#partsOfVolume() + 1 }] : this.stream.volumes
    await this.#job.updateStream(this.#index, (stream) => ({
      ...stream,
      phase: chunk.isLast ? (isUpload ? 'completing' : 'done') : 'open',
      cursor: chunk.cursor,
      rows: addRows(stream.rows, chunk.rows),
      bytes: stream.bytes + record.bytes,
      storedBytes: stream.storedBytes + record.storedBytes,
      chunks: [...stream.chunks, record],
      volumes,
    }))
    this.#context.emitter.emit('export:part', { id: this.#job.state.id, stream: this.#index, bytes: record.bytes, rows: record.rows })
  }

  async #completeUpload(uploadId: string, signal: AbortSignal): Promise<void> {
    const volume = this.#currentVolume()
    const records = await this.#recordsOf(volume)
    const parts = records.map(({ etag }, index) => ({ number: index + 1, etag }))
    const key = this.#key(volume)
    try {
      await this.#context.storage.completeUpload({ key, uploadId, parts, signal })
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'UPLOAD_UNKNOWN') throw error
      await this.#proveComplete(key, records, error, signal)
    }
  }

  /** Some storages forget an upload once it is complete. It was ours when the object has our mark and length. */
  async #proveComplete(key: string, records: readonly ChunkRecord[], cause: TidemarkError, signal: AbortSignal): Promise<void> {
    const object = await this.#context.storage.head(key, { signal })
    const bytes = records.reduce((sum, record) => sum + record.storedBytes, 0)
    const mark = this.#metadata()['export-id']
    if (object?.metadata['export-id'] !== mark || object?.bytes !== bytes) throw cause
  }

  async #recordsOf(volume: number): Promise<readonly ChunkRecord[]> {
    const records = await this.#context.store.chunks(this.#job.state, this.#index)
    const first = this.stream.volumes.slice(0, volume).reduce((sum, { chunks }) => sum + chunks, 0)
    return records.slice(first, first + (this.stream.volumes[volume]?.chunks ?? 0))
  }

  #chunkCount(): number {
    return this.stream.spilled + this.stream.chunks.length
  }

  #partsOfVolume(): number {
    return this.#chunkCount() - this.stream.volumes.reduce((sum, { chunks }) => sum + chunks, 0)
  }

  /** An upload that is about to be completed is counted as a volume already. */
  #currentVolume(): number {
    return this.stream.volumes.length - (this.stream.phase === 'completing' ? 1 : 0)
  }

  #key(volume = this.#currentVolume()): string {
    const { state } = this.#job
    const extension = extensionOf(this.#context, state.spec, this.stream)
    return objectKey(state.id, objectPath(state, this.#index, { volume, extension }))
  }

  /** Names the copy too: an object of an earlier one must not pass for this one's. */
  #metadata(): Readonly<Record<string, string>> {
    return { 'export-id': `${this.#job.state.id}.${this.#job.state.attempt}.${this.stream.restarts}` }
  }

  #contentType(): string {
    return this.stream.role === 'rows' ? this.#context.formatOf(this.#job.state.spec)?.contentType ?? 'application/sql' : 'application/sql'
  }
}

function addRows(sum: Readonly<Record<number, number>>, more: Readonly<Record<number, number>>): Readonly<Record<number, number>> {
  const result: Record<number, number> = { ...sum }
  for (const [table, rows] of Object.entries(more)) result[Number(table)] = (result[Number(table)] ?? 0) + rows
  return result
}
