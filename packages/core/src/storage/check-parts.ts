import { TidemarkError } from '../errors/tidemark-error.ts'
import type { StorageCapabilities, UploadedPart } from './object-storage.ts'

/** A part as a storage has it. */
export interface KeptPart {
  readonly bytes: number
  readonly etag: string
}

/**
 * What R2 and S3 ask of the parts of an upload that is completed: each there, the very one that was uploaded, and of a size that is allowed.
 * Errors: `UPLOAD_PARTS_INVALID`.
 */
export function checkParts(parts: readonly UploadedPart[], kept: (number: number) => KeptPart | undefined, { equalParts, minPartBytes }: StorageCapabilities): void {
  const found = parts.map(({ number, etag }, index) => {
    const part = kept(number)
    if (number !== index + 1) throw invalid('They must be given in order and without gaps.')
    if (part === undefined || part.etag !== etag) throw invalid(`Part ${number} is missing or was replaced.`)
    return part.bytes
  })
  const [first] = found
  const last = found.at(-1)
  if (first === undefined || last === undefined) throw invalid('There are none.')
  const others = found.slice(0, -1)
  if (others.some((bytes) => bytes < minPartBytes)) throw invalid('One that is not the last is too small.')
  if (equalParts && (others.some((bytes) => bytes !== first) || last > first)) throw invalid('All but the last must be of one size, and the last no larger.')
}

/** Errors: `UPLOAD_PARTS_INVALID` for a number or size that no upload takes. */
export function checkPart(number: number, bytes: number, { maxParts, maxPartBytes }: StorageCapabilities): void {
  if (!Number.isInteger(number) || number < 1 || number > maxParts) throw invalid('A number is out of range.')
  if (bytes > maxPartBytes) throw invalid('One is too large.')
}

function invalid(reason: string): TidemarkError {
  return new TidemarkError('UPLOAD_PARTS_INVALID', `The parts of the upload are not as they must be. ${reason}`)
}
