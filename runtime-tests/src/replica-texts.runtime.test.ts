import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { runtimeCommand, type RuntimeName } from './runtime-command.ts'

const SCRIPT = fileURLToPath(new URL('replica-texts.ts', import.meta.url))

it.each<RuntimeName>(['node', 'bun', 'deno'])('%s reads the texts of a copy whole', (runtime) => {
  const [command, ...args] = runtimeCommand(runtime)
  const output = execFileSync(command, [...args, SCRIPT], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } })
  expect(JSON.parse(output)).toEqual([[1, 'a\0b', [0, 97]], [2, 'é😀', null], [3, null, []]])
})
