import { runtimeCommand } from '../runtime-command.ts'
import { nodeBinary } from './node-binary.ts'

export type MatrixRuntimeName = 'Node 22' | 'Node 24' | 'Bun' | 'Deno' | 'workerd'

/** The oldest that `@tidemark/node` takes, see docs/decisions/0020. */
const OLDEST_NODE_22 = '22.16.0'
const NODE_24 = '24.11.1'

/** A runtime that runs a file as a process. */
export interface ProcessRuntime {
  readonly name: MatrixRuntimeName
  /** Of `hosts/`. */
  readonly host: 'node' | 'bun' | 'deno'
  command(): Promise<readonly [command: string, ...args: string[]]>
}

export const PROCESS_RUNTIMES: readonly ProcessRuntime[] = [
  { name: 'Node 22', host: 'node', command: async () => [await nodeBinary(OLDEST_NODE_22)] },
  { name: 'Node 24', host: 'node', command: async () => [await nodeBinary(NODE_24)] },
  { name: 'Bun', host: 'bun', command: () => Promise.resolve([runtimeCommand('bun')[0]]) },
  { name: 'Deno', host: 'deno', command: () => Promise.resolve([runtimeCommand('deno')[0], 'run', '--allow-all', '--quiet', '--node-modules-dir=manual']) },
]
