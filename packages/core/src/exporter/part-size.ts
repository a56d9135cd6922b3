import type { StorageCapabilities } from '../storage/object-storage.ts'

const MIB = 1_048_576
const DEFAULT_PART_BYTES = 8 * MIB
/** Of 10,000: room for growth while the export runs, and for an estimate that was low. */
const PARTS_WANTED = 9_000
const ROOM = 1.25

/** Size of a part for the life of an upload: R2 wants all but the last of one size. 8 MiB reach 78 GiB. */
export function partSize(capabilities: StorageCapabilities, estimatedBytes: number | undefined): number {
  const parts = Math.min(PARTS_WANTED, Math.max(1, Math.floor(capabilities.maxParts * 0.9)))
  const wanted = Math.ceil((ROOM * (estimatedBytes ?? 0)) / parts / MIB) * MIB
  const size = Math.max(DEFAULT_PART_BYTES, capabilities.minPartBytes, wanted)
  return Math.min(size, capabilities.maxPartBytes)
}
