import { connect } from 'cloudflare:sockets'
import type { HostSockets } from './host-sockets.ts'

/** What `#host-sockets` is where a bundle is made for Workers, by the condition `workerd`. */
export const hostSockets: HostSockets | undefined = { connect: connect as HostSockets['connect'] } // as the host documents it
