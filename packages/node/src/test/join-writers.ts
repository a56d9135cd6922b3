import type { ConflictRules, Propagator } from '@tidemark/core'
import { nodeSqlitePropagationTarget } from '../node-sqlite-propagation-target.ts'
import { sqliteChanges } from '../sqlite-changes.ts'
import type { SendingOptions, Site, SiteOptions, Sites } from './use-sites.ts'

export const LAST_WRITER_WINS: ConflictRules = { conflicts: 'last-writer-wins' }

/** A site that others write too, with its change log. */
export async function addWriter(sites: Sites, name: string, { capture, ...options }: SiteOptions & { readonly capture: readonly string[] }): Promise<Site> {
  const site = await sites.add(name, { ...LAST_WRITER_WINS, ...options })
  await sqliteChanges({ path: site.file }, { tables: capture }).install()
  return site
}

/** What one of several writers writes goes to each of `to`. */
export function writerPropagator(sites: Sites, [from, to]: readonly [Site, readonly Site[]], options: SendingOptions): Propagator {
  return sites.propagator(from, to, { ...LAST_WRITER_WINS, target: nodeSqlitePropagationTarget({ path: from.file }), ...options })
}
