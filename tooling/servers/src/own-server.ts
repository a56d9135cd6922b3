import type { ServerAccess, ServerInfo, ServerLifecycle, TestServer } from './server.ts'

/** Joins how to reach a server with how to stop it. */
export function ownServer(info: ServerInfo, access: ServerAccess, lifecycle: ServerLifecycle): TestServer {
  return Object.assign(access, {
    info,
    stop: (mode: 'fast' | 'kill') => lifecycle.stop(mode),
    restart: (mode: 'graceful' | 'kill') => lifecycle.restart(mode),
    [Symbol.asyncDispose]: () => lifecycle[Symbol.asyncDispose](),
  })
}

/** Finishes a server that has been started; one that can't be finished is removed. */
export async function finishOrDispose<T>(lifecycle: ServerLifecycle, finish: () => Promise<T>): Promise<T> {
  try {
    return await finish()
  } catch (error) {
    await lifecycle[Symbol.asyncDispose]()
    throw error
  }
}
