import type { ChangeSource, ExportJob, Health, ImportJob, Peer, Replication, Run, Session } from './answers.ts'
import { read } from './api.ts'

/** Actions that the caller's scopes allow. */
export interface May {
  readonly operate: boolean
  readonly admin: boolean
}

/** What the page shows; `undefined` for what the handler was not given. */
export interface State {
  readonly session: Session
  readonly health: Health
  readonly replications: readonly Replication[] | undefined
  readonly runs: readonly Run[] | undefined
  readonly exports: readonly ExportJob[] | undefined
  readonly imports: readonly ImportJob[] | undefined
  readonly sources: readonly ChangeSource[] | undefined
  readonly peers: readonly Peer[] | undefined
}

/** As many runs as are asked for: where there are more, the charts begin with the oldest of these. */
export const RUNS = 500

export async function readState(): Promise<State> {
  const session = await read<Session>('session')
  const has = (name: Session['capabilities'][number]): boolean => session.capabilities.includes(name)
  const [health, status, logs, exports, imports, changes, peers] = await Promise.all([
    read<Health>('health'),
    has('replicator') ? read<{ readonly configs: readonly Replication[] }>('data-replication/status') : undefined,
    has('replicator') ? read<{ readonly logs: readonly Run[] }>(`data-replication/logs?limit=${RUNS}`) : undefined,
    has('exporter') ? read<{ readonly exports: readonly ExportJob[] }>('export?limit=20') : undefined,
    has('importer') ? read<{ readonly imports: readonly ImportJob[] }>('import?limit=20') : undefined,
    has('streams') ? read<{ readonly sources: readonly ChangeSource[] }>('changes/status') : undefined,
    has('propagator') ? read<{ readonly peers: readonly Peer[] }>('peers') : undefined,
  ])
  return { session, health, replications: status?.configs, runs: logs?.logs, exports: exports?.exports, imports: imports?.imports, sources: changes?.sources, peers: peers?.peers }
}

export function mayOf({ scopes }: Session): May {
  return { operate: scopes.includes('operate'), admin: scopes.includes('admin') }
}
