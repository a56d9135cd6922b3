import { DUMP_SQL_MODE } from './stored-program.ts'

/**
 * - No strict mode: a zero date, a date that does not exist and the empty value of an ENUM are loaded as they were.
 * - `NO_AUTO_VALUE_ON_ZERO`: a 0 in an AUTO_INCREMENT column stays one.
 * - Keys and checks are true of the rows already; tables come in the order of their names.
 */
export const PREAMBLE: readonly string[] = [
  'SET NAMES utf8mb4 COLLATE utf8mb4_general_ci;',
  `SET sql_mode = '${DUMP_SQL_MODE}', time_zone = '+00:00', foreign_key_checks = 0, unique_checks = 0;`,
  '/*M!100201 SET check_constraint_checks = 0 */;',
]

const TEXTS = ['sql_mode', 'time_zone']
const FLAGS = ['foreign_key_checks', 'unique_checks']

export const HEAD: readonly string[] = [
  `SET ${[...TEXTS, ...FLAGS].map((name) => `@tidemark_old_${name} = @@${name}`).join(', ')};`,
  ...PREAMBLE,
]

/** In a session that did not read the head there is nothing to go back to. MySQL takes no text for a flag, which a variable that was never set makes of it. */
export const FOOT: readonly string[] = [
  '/*M!100201 SET check_constraint_checks = 1 */;',
  `SET ${[...TEXTS.map((name) => `${name} = ${kept(name)}`), ...FLAGS.map((name) => `${name} = CAST(${kept(name)} AS UNSIGNED)`)].join(', ')};`,
]

function kept(name: string): string {
  return `IFNULL(@tidemark_old_${name}, @@${name})`
}
