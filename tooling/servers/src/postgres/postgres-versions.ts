export const POSTGRES_VERSIONS = ['14', '15', '16', '17', '18'] as const

/** A major version that the suites know. */
export type PostgresVersion = (typeof POSTGRES_VERSIONS)[number]
