import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'

const NAME = 'bundled-export'
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tidemark-bundled-')))
const published = join(folder, 'published')
const bundle = join(folder, 'bundle.cjs')
const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

beforeAll(async () => {
  // As packages are published: modules, the thread's file beside the entry.
  await build({
    entryPoints: { [NAME]: fileOf(`${NAME}.ts`), 'render-worker': fileOf('../../packages/node/src/export/render-worker.ts') }, outdir: published, bundle: true, splitting: true,
    format: 'esm', target: 'es2022', platform: 'neutral', external: ['node:*'], conditions: ['tidemark-source'], mainFields: ['module', 'main'], logLevel: 'error',
  })
  writeFileSync(join(published, 'package.json'), '{"type":"module"}')
  // As an application bundles those: one file of CommonJS, which knows no `import.meta` and leaves the thread's file behind.
  await build({ entryPoints: [join(published, `${NAME}.js`)], outfile: bundle, bundle: true, format: 'cjs', platform: 'node', logLevel: 'error', logOverride: { 'empty-import-meta': 'silent' } })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = promisify(execFile)

async function exported(name: string, ...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const home = join(folder, name)
  mkdirSync(home)
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', ...args, home], { env: { ...process.env, NODE_OPTIONS: '' } })
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>
}

it('exports the same on threads, bundled as CommonJS, and where files are all that is permitted', async () => {
  const script = join(published, `${NAME}.js`)
  const permission = ['--permission', `--allow-fs-read=${folder}`, `--allow-fs-write=${folder}`]
  const onThreads = await exported('threads', script)
  expect(onThreads).toMatchObject({ status: 'completed', consistency: 'snapshot', rows: 60_000, threads: 2 })
  const alone = { ...onThreads, threads: 0 }
  expect(await exported('commonjs', bundle)).toEqual(alone)
  expect(await exported('permission', ...permission, script)).toEqual(alone)
  expect(await exported('permission-commonjs', ...permission, bundle)).toEqual(alone)
})
