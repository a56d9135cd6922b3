import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runtimeCommand, type RuntimeName } from './runtime-command.ts'

const SCRIPT = fileURLToPath(new URL('bucket-cases.ts', import.meta.url))
const CREDENTIALS = { accessKeyId: 'test-key', secretAccessKey: 'test-secret-of-the-bucket' }

let bucket: Miniflare
beforeAll(() => {
  bucket = new Miniflare({ modules: true, script: 'export default { fetch: () => new Response("") }', compatibilityDate: '2026-07-01', r2Buckets: { BUCKET: { id: 'bucket', s3Credentials: CREDENTIALS } } })
})
afterAll(() => bucket.dispose())

/** Not in this thread: it answers for the bucket. */
async function run(runtime: RuntimeName): Promise<readonly { readonly id: string; readonly status: string; readonly error?: string }[]> {
  const [command, ...args] = runtimeCommand(runtime)
  const endpoint = `${(await bucket.ready).origin}/cdn-cgi/local/r2/s3`
  const options = { ...CREDENTIALS, bucket: 'bucket', region: 'auto', endpoint, prefix: runtime, capabilities: { listsUploads: false, conditionalPut: true }, retry: { attempts: 3, baseMs: 10 } }
  const { stdout } = await promisify(execFile)(command, [...args, SCRIPT, JSON.stringify(options)], { env: { ...process.env, NODE_OPTIONS: '' } })
  return JSON.parse(stdout) as Awaited<ReturnType<typeof run>> // as the script writes them
}

it.each<RuntimeName>(['node', 'bun', 'deno'])('%s reads and writes a bucket', { timeout: 120_000 }, async (runtime) => {
  const results = await run(runtime)
  expect(results.filter(({ status }) => status === 'passed').length).toBeGreaterThan(20)
  expect(results.filter(({ status }) => status === 'failed')).toEqual([])
})
