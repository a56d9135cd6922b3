import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { ChangeStream } from '@tidemark/core'
import { traceWith } from '@tidemark/core/telemetry'
import { sqliteChanges } from '@tidemark/node'
import { expect, it } from 'vitest'

/** Every module that an entry comes to, the packages of the workspace from their sources. */
async function modulesOf(entry: string): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL(`../../../${entry}`, import.meta.url))], bundle: true, metafile: true, write: false, platform: 'node', format: 'esm',
    conditions: ['tidemark-source'], logLevel: 'error',
  })
  const { inputs } = metafile
  return [...Object.keys(inputs), ...Object.values(inputs).flatMap(({ imports }) => imports.map(({ path }) => path))]
}

const TELEMETRY = /packages\/[^/]+\/src\/(telemetry|diagnostics)[/.]|diagnostics_channel|opentelemetry/

it.each([
  'core/src/index.ts', 'core/src/adapter.ts', 'http/src/index.ts', 'http/src/client.ts', 'node/src/index.ts', 'sqlite/src/index.ts', 'cloudflare/src/index.ts',
])('is not loaded by %s', async (entry) => {
  const modules = await modulesOf(entry)
  expect(modules.length).toBeGreaterThanOrEqual(5)
  expect(modules.filter((module) => TELEMETRY.test(module))).toEqual([])
})

it.each(['core/src/telemetry.ts', 'http/src/telemetry.ts', 'node/src/diagnostics.ts'])('is loaded by %s alone', async (entry) => {
  expect((await modulesOf(entry)).some((module) => TELEMETRY.test(module))).toBe(true)
})

it('listens to nothing that it does not need, and to nothing once it is disposed', () => {
  const stream = new ChangeStream({ source: sqliteChanges({ path: '/nowhere/app.db' }, { tables: ['users'] }) }) // opened by nobody
  const heard: string[] = []
  const on: typeof stream.on = (event, listener) => {
    const stop = stream.on(event, listener)
    heard.push(event)
    return () => {
      heard.splice(heard.indexOf(event), 1)
      stop()
    }
  }
  const tracing = traceWith({ tracer: { startSpan: () => { throw new Error('Nothing has happened.') } }, streams: [{ on }] })
  // `change` would have the stream read for it.
  expect(heard.toSorted()).toEqual(['delivery', 'error'])
  tracing[Symbol.dispose]()
  expect(heard).toEqual([])
})
