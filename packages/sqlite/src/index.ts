export {
  BetterSqliteDriver, type BetterSqliteDatabase, type BetterSqliteDriverOptions, type BetterSqliteStatement, type ImageFile,
} from './better-sqlite-driver.ts'
export { readCatalogue, type CatalogueColumn } from './catalogue.ts'
export type { AttachedImage, SqliteDriver, SqliteTransaction, SqliteValue } from './driver.ts'
export { sqliteError } from './errors.ts'
export { ledgerTables, migrate } from './migrations.ts'
export { narrowInteger } from './narrow-integer.ts'
export { quote } from './quote.ts'
export { sqliteTarget, type SqliteTargetConfig } from './sqlite-target.ts'
export { SqliteTargetConnection } from './sqlite-target-connection.ts'
export { ReplicaReader, type ReadTableOptions, type ReplicaRow } from './reader/replica-reader.ts'
export { sqliteSource, type SqliteSourceConfig } from './source/sqlite-source.ts'
