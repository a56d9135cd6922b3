import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { entriesModule, publishedEntries } from './published-entries.ts'

/** The story for each runtime, as JavaScript beside the installed packages, which it imports and has not in it. */
export async function bundleHosts(folder: string): Promise<void> {
  const hosts = fileURLToPath(new URL('hosts', import.meta.url))
  writeFileSync(join(folder, 'entries.mjs'), entriesModule(publishedEntries()))
  await build({
    entryPoints: ['node', 'bun', 'deno', 'worker'].map((name) => join(hosts, `${name}.ts`)),
    outdir: folder, outExtension: { '.js': '.mjs' }, bundle: true, packages: 'external', format: 'esm', target: 'es2022', platform: 'node', logLevel: 'error',
  })
}
