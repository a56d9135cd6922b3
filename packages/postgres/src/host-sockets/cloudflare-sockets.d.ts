declare module 'cloudflare:sockets' {
  export const connect: import('./host-sockets.ts').HostSockets['connect']
}
