/** Of the host: there is no package to have the types from. */
declare module 'cloudflare:sockets' {
  export const connect: unknown
}
