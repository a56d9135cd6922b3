export { probeS3, type ProbedCapabilities } from './probe-s3.ts'
export { s3FromUrl, type S3Environment } from './s3-from-url.ts'
export type { S3Retry, S3StorageOptions } from './s3-options.ts'
export { s3Storage } from './s3-storage.ts'
