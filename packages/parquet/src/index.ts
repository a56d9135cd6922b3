export { parquetFormat, type ParquetOptions } from './parquet-format.ts'
export type { ParquetCodec } from './parquet-encoder.ts'
