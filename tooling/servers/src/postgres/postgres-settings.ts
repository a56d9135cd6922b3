/** Settings by name, as on the command line. */
export type PostgresSettings = Readonly<Record<string, string>>

/** Server settings of every PostgreSQL that is started here, wherever its binaries come from. */
export const POSTGRES_SETTINGS: PostgresSettings = {
  wal_level: 'logical',
  max_connections: '200',
  max_wal_senders: '50',
  max_replication_slots: '100',
  // A crash test kills processes, not the machine: what the kernel has been given survives.
  fsync: 'off',
  full_page_writes: 'off',
  shared_buffers: '32MB',
  log_min_messages: 'warning',
}

export function settingArgs(settings: PostgresSettings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
