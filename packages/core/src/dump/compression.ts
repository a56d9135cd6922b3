/** A way to make objects smaller, one whole object at a time. */
export interface Compression {
  /** As the manifest names it: `gzip`, `zstd`. */
  readonly name: string
  /** Added to the file's name, without a dot. */
  readonly extension: string
  compress(bytes: Uint8Array): Promise<Uint8Array>
  decompress(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
}
