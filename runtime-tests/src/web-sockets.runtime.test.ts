import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { runtimeCommand, type RuntimeName } from './runtime-command.ts'

const SCRIPT = fileURLToPath(new URL('web-sockets.ts', import.meta.url))

it.each<RuntimeName>(['node', 'bun', 'deno'])('%s serves changes over a WebSocket', { timeout: 120_000 }, async (runtime) => {
  const [command, ...args] = runtimeCommand(runtime)
  const { stdout } = await promisify(execFile)(command, [...args, SCRIPT], { env: { ...process.env, NODE_OPTIONS: '' } })
  const { refused, ...told } = JSON.parse(stdout) as { readonly refused: { readonly code: number } }
  expect(told).toEqual({
    first: { protocol: 'tidemark.v1', bodies: ['one'], id: 'string', code: 1_000 },
    second: { protocol: 'tidemark.v1', bodies: ['two'], id: 'string', code: 1_000 },
    silent: { protocol: 'tidemark.v1', bodies: [], id: 'string', code: 4_408 },
  })
  // A page is not told why a handshake was refused: each has its own code for that.
  expect([0, 1_002, 1_006]).toContain(refused.code)
})
