import type { HostSockets } from './host-sockets.ts'

/** What `#host-sockets` is everywhere else: sockets are Node's. A bundler there would look for the module of Workers, and fail. */
export const hostSockets: HostSockets | undefined = undefined
