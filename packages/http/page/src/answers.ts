/** What this page reads of the handler's answers. */

export interface ErrorReport {
  readonly code: string
  readonly message: string
  readonly remedy: string
}

export interface Session {
  readonly scopes: readonly ('read' | 'operate' | 'admin')[]
  readonly capabilities: readonly ('replicator' | 'exporter' | 'streams' | 'propagator' | 'receiver')[]
  readonly streams: readonly string[]
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
  readonly progress: { readonly phase: string; readonly rows: number; readonly estimatedRows?: number } | null
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
  readonly totalRowsExported: number
  readonly totalBytesExported: number
  readonly estimatedRows?: number
  readonly tablesTotal: number
  readonly tablesProcessed: number
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
  readonly lastError?: ErrorReport
  readonly tables: Readonly<Record<string, unknown>>
  readonly sent: { readonly changes: number }
}

export interface Change {
  readonly op: string
  readonly table: string
  readonly key: unknown
  readonly after: unknown
  readonly before: unknown
}
