export { mysqlSource } from './mysql-source.ts'
export { MysqlError } from './errors.ts'
export type {
  DriverHandle, MysqlConnectionConfig, MysqlHostConfig, MysqlPoolConfig, MysqlSourceConfig, MysqlTimingOptions, MysqlUrlConfig, TlsMode,
} from './mysql-config.ts'
