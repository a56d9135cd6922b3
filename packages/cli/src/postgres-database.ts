import type { SecretInput } from '@tidemark/core'
import type { OptionContext } from './connection-options.ts'
import type { Flags } from './flags.ts'
import { locateSource } from './url.ts'

/** The positional argument of commands that are for PostgreSQL; `undefined` after a fault. */
export function postgresDatabase(flags: Flags, { environment, faults }: OptionContext): SecretInput | undefined {
  const text = flags.get('database')
  if (text === undefined || text === '') {
    faults.add('database', 'Is missing: postgres://, or env:NAME.')
    return undefined
  }
  const located = locateSource(text, environment)
  if ('location' in located && located.location.kind === 'postgres') return located.location.url
  faults.add('database', 'location' in located ? 'Must be PostgreSQL.' : located.fault)
  return undefined
}
