import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Faults } from './faults.ts'
import type { ServeConfig } from './serve-config.ts'

export const CONFIG_FILE = 'tidemark.config.ts'

/** What the file exports as its default. `undefined` after a fault. What the file itself throws passes. */
export async function loadConfig(path: string, faults: Faults): Promise<ServeConfig | undefined> {
  const file = resolve(path)
  if (!existsSync(file)) return refuse(faults, 'There is no such file.')
  const loaded = await import(pathToFileURL(file).href) as { readonly default?: unknown } // whatever it exports
  const config: unknown = typeof loaded.default === 'function' ? await loaded.default() : loaded.default
  if (typeof config !== 'object' || config === null) return refuse(faults, 'Must export a configuration as its default: export default defineConfig({ … }).')
  // createHandler looks at every field.
  return config as ServeConfig
}

function refuse(faults: Faults, message: string): undefined {
  faults.add('--config', message)
  return undefined
}
