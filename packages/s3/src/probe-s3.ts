import { TidemarkError, type AbortOptions, type ErrorCode, type ObjectStorage, type StorageCapabilities } from '@tidemark/core/adapter'
import type { S3StorageOptions } from './s3-options.ts'
import { s3Storage } from './s3-storage.ts'

/** As `s3Storage` takes it. */
export type ProbedCapabilities = Pick<StorageCapabilities, 'conditionalPut' | 'listsUploads'>

const TEXT = new TextEncoder().encode('tidemark')

/** Says nothing of what the storage can do. */
const UNCLEAR: ReadonlySet<ErrorCode> = new Set(['STORAGE_UNREACHABLE', 'STORAGE_BUSY', 'ABORTED', 'BUCKET_UNKNOWN'])

/**
 * Tries what servers differ in, with an object and an upload under the prefix that are gone afterwards, and gives it as `capabilities` for `s3Storage`.
 * Proves on the way that the key may write, read, list and delete there.
 *
 * Errors: `STORAGE_AUTH_FAILED`, `BUCKET_UNKNOWN`, `STORAGE_*`, `ABORTED`.
 */
export async function probeS3(options: S3StorageOptions, { signal }: AbortOptions = {}): Promise<ProbedCapabilities> {
  const storage = s3Storage({ ...options, capabilities: { ...options.capabilities, conditionalPut: true, listsUploads: true } })
  const probe: Probe = { storage, key: `tidemark-probe-${crypto.randomUUID()}`, signal }
  try {
    await storage.put(probe.key, TEXT, { signal })
    await (await storage.get(probe.key, { signal }))[Symbol.asyncDispose]()
    await storage.list({ prefix: probe.key, signal })
    return { conditionalPut: await putsConditionally(probe), listsUploads: await listsUploads(probe) }
  } finally {
    await storage.delete(probe.key, { signal })
  }
}

interface Probe {
  readonly storage: ObjectStorage
  readonly key: string
  readonly signal: AbortSignal | undefined
}

/** The object is there already. Some servers take no notice of the condition, and write. */
function putsConditionally({ storage, key, signal }: Probe): Promise<boolean> {
  return holds(async () => {
    const error: unknown = await storage.put(key, TEXT, { ifAbsent: true, signal }).then(() => undefined, (caught: unknown) => caught)
    if (error instanceof TidemarkError && error.code !== 'OBJECT_EXISTS') throw error
    return error !== undefined
  })
}

async function listsUploads({ storage, key, signal }: Probe): Promise<boolean> {
  const uploadId = await storage.createUpload(key, { signal })
  try {
    return await holds(async () => (await storage.listUploads?.(key, { signal }))?.some((upload) => upload.uploadId === uploadId) === true)
  } finally {
    await storage.abortUpload({ key, uploadId }, { signal })
  }
}

/** What is refused can't be done, or may not. */
async function holds(work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TidemarkError && !UNCLEAR.has(error.code)) return false
    throw error
  }
}
