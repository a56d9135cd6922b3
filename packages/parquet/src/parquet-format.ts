import type { DumpFormat } from '@tidemark/core/adapter'
import { decodeParquet } from './decode-parquet.ts'
import { ParquetEncoder, type ParquetCodec } from './parquet-encoder.ts'

export interface ParquetOptions {
  /** Of the pages within a file, which any reader opens. Default `SNAPPY`. */
  readonly codec?: ParquetCodec | undefined
}

/**
 * Parquet, one file an object of a directory. A column has the type that it is declared with, where all rows of the file have it; another that all of
 * them have, where they do not; and JSON in text where they have none in common. Exact in any case: what a type does not say is noted in the file.
 */
export function parquetFormat({ codec = 'SNAPPY' }: ParquetOptions = {}): DumpFormat {
  return {
    name: 'parquet',
    extension: 'parquet',
    contentType: 'application/vnd.apache.parquet',
    appends: false,
    header: () => new Uint8Array(0),
    encoder: (table) => new ParquetEncoder(table, codec),
    decode: decodeParquet,
  }
}
