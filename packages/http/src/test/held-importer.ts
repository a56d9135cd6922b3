import type { AnyImporter } from '../index.ts'
import { firstOf } from './first-of.ts'

/** A real importer that waits behind its first slice until the signal fires, or it is stopped. */
export function heldImporter(importer: () => AnyImporter, open: AbortSignal): AnyImporter {
  return {
    status: (...args) => importer().status(...args),
    step: (...args) => importer().step(...args),
    looksComplete: (...args) => importer().looksComplete(...args),
    run: async function* (input, options = {}) {
      for await (const status of importer().run(input, options)) {
        yield status
        await firstOf([open, options.signal])
      }
    },
  }
}
