import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Builds our side as applications get it, drivers apart. Run from its TypeScript sources it would be measured stripping
 * types at every start: 0.3 s of processor time that no user pays.
 */
export async function buildCopy(): Promise<string> {
  // A compiler in the heap would be gone through by every collection of the cases that run in this process.
  const { build } = await import('tsup')
  const outDir = `${FOLDER}dist`
  await build({
    entry: { 'copy-once': `${FOLDER}src/ours/copy-once.ts` },
    outDir,
    config: false,
    format: 'esm',
    target: 'es2022',
    platform: 'node',
    removeNodeProtocol: false,
    splitting: true,
    clean: true,
    silent: true,
    external: ['postgres', 'mysql2', '@libsql/client', 'libsql'],
    noExternal: [/^@tidemark\//],
    esbuildOptions: (options) => { options.conditions = ['tidemark-source'] },
  })
  return `${outDir}/copy-once.js`
}
