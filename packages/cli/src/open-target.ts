import type { SecretInput, TargetDialect } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { adapterFactory } from './adapter-factory.ts'
import type { TargetLocation } from './url.ts'

export interface TargetSettings {
  readonly location: TargetLocation
  readonly authToken: SecretInput | undefined
}

interface LibsqlConfig {
  readonly url: string
  readonly authToken?: SecretInput | undefined
}

/** The adapter for a location; opens nothing yet. */
export async function openTarget(settings: TargetSettings): Promise<TargetDialect> {
  const { location, authToken } = settings
  switch (location.kind) {
    case 'file':
      return nodeSqliteTarget({ path: location.path })
    case 'libsql':
      return adapterFactory<LibsqlConfig, TargetDialect>(await import('@tidemark/libsql'), 'libsqlTarget')({ url: location.url, authToken })
    default:
      return location satisfies never
  }
}

/** For commands that only ask the source: a target that is never written to disk. */
export function noTarget(): TargetDialect {
  return nodeSqliteTarget({ path: ':memory:' })
}
