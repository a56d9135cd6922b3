import { DUMP_SQL_MODE } from './stored-program.ts'

/**
 * - No strict mode: a zero date, a date that does not exist and the empty value of an ENUM are loaded as they were.
 * - `NO_AUTO_VALUE_ON_ZERO`: a 0 in an AUTO_INCREMENT column stays one.
 * - Keys and checks are true of the rows already; tables come in the order of their names.
 */
export const HEAD: readonly string[] = [
  'SET @tidemark_old_sql_mode = @@sql_mode, @tidemark_old_time_zone = @@time_zone, @tidemark_old_foreign_key_checks = @@foreign_key_checks, @tidemark_old_unique_checks = @@unique_checks;',
  'SET NAMES utf8mb4 COLLATE utf8mb4_general_ci;',
  `SET sql_mode = '${DUMP_SQL_MODE}', time_zone = '+00:00', foreign_key_checks = 0, unique_checks = 0;`,
  '/*M!100201 SET check_constraint_checks = 0 */;',
]

export const FOOT: readonly string[] = [
  '/*M!100201 SET check_constraint_checks = 1 */;',
  'SET sql_mode = @tidemark_old_sql_mode, time_zone = @tidemark_old_time_zone, foreign_key_checks = @tidemark_old_foreign_key_checks, unique_checks = @tidemark_old_unique_checks;',
]
