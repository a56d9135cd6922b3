import type { Manifest } from '../manifest.ts'

/** What is signed of a manifest: all of it but the signature, so that no object can be taken out of it or put in. The same before it is written and after it is read. */
export function manifestText({ encryption, ...rest }: Manifest): string {
  return JSON.stringify([rest, { ...encryption, signature: '' }])
}
