export type MysqlEngine = 'mariadb' | 'mysql'

/** Server options of every MySQL and MariaDB that is started here, wherever its binaries come from. */
const COMMON = [
  '--server-id=1',
  '--log-bin=binlog',
  '--binlog-format=ROW',
  '--binlog-row-image=FULL',
  '--character-set-server=utf8mb4',
  '--skip-name-resolve',
  '--max-connections=200',
  '--max-allowed-packet=64M',
  '--innodb-buffer-pool-size=64M',
  '--performance-schema=OFF',
  // A user without SUPER may create triggers although the log is on.
  '--log-bin-trust-function-creators=ON',
  // A crash test kills processes, not the machine: what the kernel has been given survives.
  '--innodb-flush-log-at-trx-commit=2',
  '--sync-binlog=0',
]

const ROW_METADATA = '--binlog-row-metadata=FULL'
const GTID = ['--gtid-mode=ON', '--enforce-gtid-consistency=ON', '--log-slave-updates']

/** Options by engine and major version: MySQL 5 has no row metadata, MariaDB has its own GTIDs, always on. */
export function mysqlSettings(engine: MysqlEngine, major: number): string[] {
  if (engine === 'mariadb') return [...COMMON, ROW_METADATA]
  return major < 8 ? [...COMMON, ...GTID] : [...COMMON, ...GTID, ROW_METADATA, '--mysqlx=OFF']
}
