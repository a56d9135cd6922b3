import type { Host } from './host.ts'

/** What `#host` is where a bundle is made for Workers, by the condition `workerd`: `onread` of its `node:net` never calls, and its `node:tls` takes no open socket over. */
export const host: Host = { readsIntoGivenMemory: false, beginsTlsLate: false }
