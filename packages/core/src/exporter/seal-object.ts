import { sha256Hex } from '../dump/digest.ts'
import type { DumpKey } from '../dump/encryption/dump-key.ts'
import type { ExportContext } from './export-context.ts'
import type { ExportState } from './export-state.ts'

export interface SealRequest {
  readonly state: ExportState
  /** Relative to the dump. */
  readonly path: string
  readonly bytes: Uint8Array
  /** Whether it is the last of its stream. */
  readonly isLast: boolean
}

export interface SealedObject {
  readonly bytes: Uint8Array
  /** Of what was rendered. */
  readonly sha256: string
}

/** An object of a directory as it is stored: compressed, then encrypted, where asked for. */
export async function sealObject(context: ExportContext, { state, path, bytes, isLast }: SealRequest): Promise<SealedObject> {
  const compression = context.compressionOf(state.spec)
  const key = await exportKey(context, state)
  const [sha256, packed] = await Promise.all([key === undefined ? sha256Hex(bytes) : key.digest(bytes), compression === undefined ? bytes : compression.compress(bytes)])
  return { sha256, bytes: key === undefined ? packed : await key.seal(packed, { path, isLast }) }
}

/** `undefined`: the dump is in clear. Errors: `DUMP_KEY_MISSING`, `DUMP_KEY_WRONG` when another key took the name, `SECRET_MISSING`. */
export async function exportKey({ keys }: ExportContext, { id, spec, keyCheck }: Pick<ExportState, 'id' | 'spec' | 'keyCheck'>): Promise<DumpKey | undefined> {
  return spec.keyId === undefined ? undefined : keys.open(spec.keyId, { id, check: keyCheck })
}
