import { createDecipheriv, hkdfSync } from 'node:crypto'

export interface SealedObject {
  readonly key: Uint8Array
  /** Of the dump. */
  readonly id: string
  readonly path: string
  readonly object: Uint8Array
}

/** What `docs/spec/exporter.md` says of an encrypted object, by another library than the one that wrote it. */
export function decryptObject({ key, id, path, object }: SealedObject): { readonly bytes: Buffer; readonly isLast: boolean } {
  const own = new Uint8Array(hkdfSync('sha256', key, object.subarray(4, 36), `tidemark-dump.v1.object ${id}`, 32))
  for (const isLast of [true, false]) {
    const decipher = createDecipheriv('aes-256-gcm', own, new Uint8Array(12)).setAAD(Buffer.from(JSON.stringify([id, path, isLast]))).setAuthTag(object.subarray(object.length - 16))
    try {
      return { bytes: Buffer.concat([decipher.update(object.subarray(36, object.length - 16)), decipher.final()]), isLast }
    } catch {
      // It may be the other.
    }
  }
  throw new Error(`${path} can't be decrypted.`)
}
