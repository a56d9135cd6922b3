import type { Scope } from '@tidemark/http'

/** `none`: nothing but what asks for credentials of its own. */
export type StarbaseScope = Scope | 'none'

const ORDER = ['none', 'read', 'operate', 'admin'] as const satisfies readonly StarbaseScope[]

export function includesScope(granted: StarbaseScope, wanted: Scope): boolean {
  return ORDER.indexOf(granted) >= ORDER.indexOf(wanted)
}
