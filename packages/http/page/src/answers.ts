/** What this page reads of the handler's answers. */

export interface ErrorReport {
  readonly code: string
  readonly message: string
  readonly remedy: string
}

export interface Issue {
  readonly path: string
  readonly message: string
}

export interface Session {
  readonly scopes: readonly ('read' | 'operate' | 'admin')[]
  readonly capabilities: readonly ('replicator' | 'exporter' | 'importer' | 'streams' | 'propagator' | 'receiver')[]
  readonly streams: readonly string[]
  readonly sources: readonly ConfigurableSource[]
}

/** What a new replication may read from. */
export interface ConfigurableSource {
  readonly name: string
  /** Whether its address is set in code. */
  readonly isFixed: boolean
}

export interface Health {
  readonly status: 'ok' | 'warn' | 'error'
  readonly checks: readonly { readonly kind: string; readonly name: string; readonly status: string; readonly code?: string }[]
}

export interface Replication {
  readonly name: string
  readonly source_config: { readonly address: string }
  readonly source_table: string
  readonly target_table: string
  readonly is_active: boolean
  readonly activity: 'stopped' | 'waiting' | 'syncing' | 'paused' | 'failed'
  readonly phase: 'new' | 'loading' | 'live'
  readonly progress: { readonly phase: string; readonly rows: number; readonly estimatedRows?: number; readonly durationMs: number } | null
  readonly loadedRows?: number
  readonly lastSyncAtMs?: number
  readonly nextSyncAtMs?: number
  readonly lastError?: ErrorReport
}

export interface Run {
  readonly config_name: string
  readonly status: 'success' | 'error'
  readonly records_processed: number
  readonly error_message: string | null
  readonly sync_duration_ms: number
  readonly created_at: string
  readonly errorCode: string | null
  readonly remedy: string | null
}

export interface ExportJob {
  readonly exportId: string
  readonly status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled'
  readonly format: string
  readonly layout: 'single' | 'directory'
  readonly totalRowsExported: number
  readonly totalBytesExported: number
  readonly estimatedRows?: number
  readonly tablesTotal: number
  readonly tablesProcessed: number
  readonly createdAt: string
  readonly notes: readonly string[]
  readonly problem?: ErrorReport
}

/** What is read of a dump's manifest. */
export interface Manifest {
  readonly objects: readonly { readonly path: string; readonly bytes: number; readonly rows: number }[]
}

export interface ImportJob {
  readonly importId: string
  readonly status: 'loading' | 'completed' | 'failed' | 'stopped'
  readonly isRunning: boolean
  readonly totalRowsImported: number
  readonly totalRows?: number
  readonly totalBytesImported: number
  readonly totalBytes: number
  readonly notes: readonly string[]
  readonly createdAt: string
  readonly problem?: ErrorReport
}

export interface ChangeSource {
  readonly stream: string
  readonly name: string
  readonly address: string
  readonly state: string
  readonly lastError?: ErrorReport
  readonly subscribers: readonly { readonly id: string; readonly state: string; readonly durable: boolean; readonly lag?: { readonly events?: number; readonly ms?: number } }[]
}

export interface Peer {
  readonly name: string
  readonly address: string
  readonly phase: 'new' | 'copying' | 'streaming' | 'retrying' | 'resting'
  readonly behindMs: number
  readonly failures: number
  readonly retryAtMs?: number
  readonly lastError?: ErrorReport
  readonly tables: Readonly<Record<string, { readonly state: string; readonly error?: ErrorReport }>>
  readonly sent: { readonly changes: number; readonly rowsCopied: number }
}

export interface Change {
  readonly id: string
  readonly op: string
  readonly table: string
  readonly key: unknown
  readonly after: unknown
  readonly before: unknown
  readonly changed?: readonly string[]
}
