/** A socket of the module `cloudflare:sockets`, as far as it is used (developers.cloudflare.com, "TCP sockets"). */
export interface HostSocket {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  readonly opened: Promise<unknown>
  readonly closed: Promise<unknown>
  close(): Promise<unknown>
  /** Of a socket that was opened for it. Both of its streams must be unlocked. */
  startTls(options?: { readonly expectedServerHostname?: string | undefined }): HostSocket
}

/** How a Worker opens sockets. */
export interface HostSockets {
  connect(address: { readonly hostname: string; readonly port: number }, options: { readonly secureTransport: 'off' | 'starttls'; readonly allowHalfOpen: boolean }): HostSocket
}
