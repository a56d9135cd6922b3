/**
 * What a caller may do. Each includes those before it.
 *
 * - `read`: how things stand: status, logs, metrics. Never a row.
 * - `operate`: to run what is configured, and to read rows: sync, start, stop, export, download, follow changes.
 * - `admin`: to change what is configured.
 */
export type Scope = 'read' | 'operate' | 'admin'

export const SCOPES = ['read', 'operate', 'admin'] as const satisfies readonly Scope[]

/** Whether who has `granted` may do what needs `wanted`. */
export function includesScope(granted: Scope, wanted: Scope): boolean {
  return SCOPES.indexOf(granted) >= SCOPES.indexOf(wanted)
}
