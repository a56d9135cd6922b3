import { tellOnStdout } from './tell-on-stdout.ts'

/** What is used of Deno's own server. */
interface DenoRuntime {
  serve(options: { readonly hostname: string; readonly port: number; readonly onListen: () => void }, handler: (request: Request) => Promise<Response>): { readonly addr: { readonly port: number }; shutdown(): Promise<void> }
}

const { Deno } = globalThis as unknown as { readonly Deno: DenoRuntime } // this file runs in Deno and nowhere else

await tellOnStdout((handler) => {
  const server = Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: () => {} }, handler)
  return Promise.resolve({ url: `http://127.0.0.1:${server.addr.port}`, fetch, [Symbol.asyncDispose]: () => server.shutdown() })
})
