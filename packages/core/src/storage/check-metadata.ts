import { TidemarkError } from '../errors/tidemark-error.ts'

/** Errors: `CONFIG_INVALID` for what does not come back as it was from every storage. Proxies drop headers with `_` in their name. */
export function checkMetadata(metadata: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(metadata)) {
    if (!/^[a-z\d][a-z\d-]*$/.test(name) || !/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value)) {
      throw new TidemarkError('CONFIG_INVALID', 'Metadata of an object is not allowed.', { issues: [{ path: 'metadata', message: 'Names must be lower-case letters, digits and `-`, values printable ASCII.' }] })
    }
  }
  return { ...metadata }
}
