import type { ServerAccess, ServerInfo, TestServer } from './server.ts'

/** A server that a URL in the environment names: it is used, never stopped, and its data is not ours to remove. */
export function environmentServer(info: ServerInfo, access: ServerAccess): TestServer {
  const refuse = async (): Promise<never> => {
    throw new Error('A server named in the environment is not ours to stop; start one with `restartable: true`')
  }
  return Object.assign(access, { info, stop: refuse, restart: refuse, [Symbol.asyncDispose]: async () => {} })
}
