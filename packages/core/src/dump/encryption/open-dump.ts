import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { Manifest, ManifestObject } from '../manifest.ts'
import type { DumpKey } from './dump-key.ts'
import type { DumpKeys } from './dump-keys.ts'
import { manifestText } from './manifest-text.ts'

/** What reading an encrypted dump takes. */
export interface OpenedDump {
  digest(bytes: Uint8Array): Promise<string>
  /** `undefined` for what is not what was stored there. */
  open(object: ManifestObject, bytes: Uint8Array): Promise<Uint8Array | undefined>
}

/** `undefined` for a dump in clear. Errors: `DUMP_KEY_MISSING`, `DUMP_KEY_WRONG`, `SECRET_MISSING`; `DUMP_CORRUPT` for a manifest that was altered. */
export async function openDump(manifest: Manifest, keys: DumpKeys): Promise<OpenedDump | undefined> {
  const { encryption, id } = manifest
  if (encryption === undefined) return undefined
  const key = await keys.open(encryption.keyId, { id, check: encryption.keyCheck })
  if (!await key.isDigestOf(manifestText(manifest), encryption.signature)) {
    throw new TidemarkError('DUMP_CORRUPT', 'The manifest of the dump (manifest.json) is not what was written: its signature is another.')
  }
  return new EncryptedDump(manifest, key)
}

class EncryptedDump implements OpenedDump {
  readonly #key: DumpKey
  readonly #last: ReadonlySet<ManifestObject>

  constructor({ objects }: Manifest, key: DumpKey) {
    this.#key = key
    this.#last = new Set(objects.filter((object, index) => !isOneStream(object, objects[index + 1])))
  }

  digest(bytes: Uint8Array): Promise<string> {
    return this.#key.digest(bytes)
  }

  open(object: ManifestObject, bytes: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#key.open(bytes, { path: object.path, isLast: this.#last.has(object) })
  }
}

function isOneStream(a: ManifestObject, b: ManifestObject | undefined): boolean {
  return b !== undefined && a.role === b.role && a.table === b.table
}
