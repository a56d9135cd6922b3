export const POSTGRES_VERSIONS = ['14', '15', '16', '17', '18'] as const

/** A major version that the suites know. */
export type PostgresVersion = (typeof POSTGRES_VERSIONS)[number]

/** The newest that is too old, started only where it is asked for: to see that it is refused. */
export const OLD_POSTGRES_VERSION = '13'

export type StartablePostgresVersion = PostgresVersion | typeof OLD_POSTGRES_VERSION
