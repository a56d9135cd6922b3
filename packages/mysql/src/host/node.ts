import type { Host } from './host.ts'

/** What `#host` is everywhere but in Workers. */
export const host: Host = { readsIntoGivenMemory: true, beginsTlsLate: true }
