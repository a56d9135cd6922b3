// For applications.
export * from './errors/error-codes.ts'
export * from './errors/tidemark-error.ts'
export * from './log/logger.ts'
