export type { LibsqlClient, LibsqlResult, LibsqlStatement, LibsqlTransaction } from './libsql-client.ts'
export type { LibsqlClientConfig, LibsqlConfig, LibsqlUrlConfig } from './libsql-config.ts'
export { libsqlSource } from './libsql-source.ts'
export { libsqlFileTarget, libsqlTarget } from './libsql-target.ts'
