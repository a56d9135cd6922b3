import { tellOnStdout } from './tell-on-stdout.ts'

/** What is used of Bun's own server. */
interface BunRuntime {
  serve(options: { readonly hostname: string; readonly port: number; readonly fetch: (request: Request) => Promise<Response> }): { readonly port: number; stop(closeActiveConnections: boolean): Promise<void> }
}

const { Bun } = globalThis as unknown as { readonly Bun: BunRuntime } // this file runs in Bun and nowhere else

await tellOnStdout((handler) => {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: handler })
  return Promise.resolve({ url: `http://127.0.0.1:${server.port}`, fetch, [Symbol.asyncDispose]: () => server.stop(true) })
})
