// For applications.
export * from './errors/error-codes.ts'
export * from './errors/tidemark-error.ts'
export * from './log/logger.ts'
export type { SecretInput } from './util/secret.ts'
