import type { TestProject } from 'vitest/node'
import { ServerBroker } from './broker.ts'
import type {} from './provided-context.ts'

interface SharedBroker {
  readonly opened: Promise<ServerBroker>
  users: number
}

// Every lane loads this module anew in the one process of the runner; the servers are for all of them.
const SHARED = Symbol.for('tidemark.test-servers')
// A symbol of ours can't be declared on the global object's type.
const shelf = globalThis as { [SHARED]?: SharedBroker | undefined }

/** Vitest's global setup for the lanes that need servers. Opens nothing but a port; a server starts when it is asked for. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (shelf[SHARED] ??= { opened: ServerBroker.open({ onStart: announce }), users: 0 })
  shared.users++
  project.provide('tidemarkServers', (await shared.opened).address)
  return async () => {
    shared.users--
    if (shared.users > 0) return
    shelf[SHARED] = undefined
    await (await shared.opened)[Symbol.asyncDispose]()
  }
}

/** Which server a run was made against belongs into its record. */
function announce(server: { readonly engine: string; readonly version: string; readonly origin: string }, startMs: number): void {
  process.stdout.write(`test server: ${server.engine} ${server.version} from ${server.origin}, ready in ${startMs} ms\n`)
}
