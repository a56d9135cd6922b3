import zlib from 'node:zlib'
import { pipeline } from 'node:stream/promises'
import { TidemarkError, type Compression } from '@tidemark/core/adapter'

/** Of text of dumps no higher one is worth its time. */
const LEVEL = 1

/**
 * Zstandard (RFC 8878), by the zlib of Node 22.15, Bun and others. One frame with a checksum for each object: Node reads no further than the first.
 * Errors of both directions: `NOT_SUPPORTED` where the host has none.
 */
export const zstd: Compression = { name: 'zstd', extension: 'zst', compress, decompress }

async function compress(bytes: Uint8Array): Promise<Uint8Array> {
  const { zstdCompress, constants } = hostZstd()
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 }
  return new Promise((resolve, reject) => zstdCompress(bytes, { params }, (error, result) => (error === null ? resolve(result) : reject(error))))
}

async function* decompress(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = hostZstd().createZstdDecompress()
  const fed = pipeline(bytes, decoder)
  // It is awaited at the end; what goes wrong before that is what the reading throws.
  fed.catch(() => undefined)
  for await (const piece of decoder) yield piece as Uint8Array // a stream of buffers
  await fed
}

/** Not imported by name: a host without them could not load this package. */
function hostZstd(): Pick<typeof zlib, 'zstdCompress' | 'createZstdDecompress' | 'constants'> {
  const host: Partial<typeof zlib> = zlib
  const { zstdCompress, createZstdDecompress, constants } = host
  if (zstdCompress === undefined || createZstdDecompress === undefined || constants === undefined) {
    throw new TidemarkError('NOT_SUPPORTED', 'This host has no zstd.', { remedy: 'Use gzip, or Node 22.15 and later.' })
  }
  return { zstdCompress, createZstdDecompress, constants }
}
