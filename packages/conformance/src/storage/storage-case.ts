import type { ByteRange, ErrorCode, ObjectStorage, UploadedPart } from '@tidemark/core/adapter'
import { failsWith } from '../assert/fails-with.ts'
import type { StorageHarness, StorageTraits } from '../harness/storage-harness.ts'
import { always, type ConformanceCase } from '../suite/conformance-case.ts'

export type StorageCase = ConformanceCase<StorageTraits, StorageHarness>

/** A case from its parts; it holds for every storage unless `appliesTo` says otherwise. */
export function storageCase(id: string, title: string, run: (harness: StorageHarness) => Promise<void>, appliesTo: (traits: StorageTraits) => true | string = always): StorageCase {
  return { id, title, appliesTo, run }
}

/** Fails unless the work is refused with that code. */
export async function refuses(code: ErrorCode, work: () => Promise<unknown>): Promise<void> {
  await failsWith(code, work, 'what must be refused')
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** An object, or a range of it. */
export async function readBytes(storage: ObjectStorage, key: string, range?: ByteRange): Promise<Uint8Array> {
  await using body = await storage.get(key, { range })
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return collectBytes(pieces)
}

/** As text. */
export async function readText(storage: ObjectStorage, key: string, range?: ByteRange): Promise<string> {
  return new TextDecoder().decode(await readBytes(storage, key, range))
}

function collectBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** Puts parts of one letter each; their size in bytes. */
export async function putParts(storage: ObjectStorage, upload: { readonly key: string; readonly uploadId: string }, sizes: readonly number[]): Promise<readonly UploadedPart[]> {
  const parts: UploadedPart[] = []
  for (const [index, bytes] of sizes.entries()) parts.push(await storage.putPart({ ...upload, number: index + 1, bytes: new Uint8Array(bytes).fill(97 + index) }))
  return parts
}
