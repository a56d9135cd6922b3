import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { TidemarkError } from '@tidemark/core'
import type { TargetConnection } from '@tidemark/core/adapter'
import type { CommandContext } from './command.ts'
import { targetOptions } from './connection-options.ts'
import { openTarget } from './open-target.ts'

const DEFAULT_PREFIX = 'tidemark_'

/**
 * Opens a target to look at it. Opening brings Tidemark's own tables up to date, so a file without them is refused
 * before: asking about a database must not write to it. Errors: `CONFIG_INVALID`, `TARGET_*`.
 */
export async function openLedger({ flags, faults, host }: CommandContext): Promise<TargetConnection> {
  const settings = targetOptions(flags, { environment: host.environment, faults })
  const tablePrefix = flags.get('prefix') ?? DEFAULT_PREFIX
  faults.throwIfAny()
  if (settings === undefined) throw new TidemarkError('INTERNAL', 'A target is missing without a fault.')
  if (settings.location.kind === 'file') requireLedger(settings.location.path, tablePrefix)
  return (await openTarget(settings)).connect({ tablePrefix })
}

function requireLedger(path: string, tablePrefix: string): void {
  if (!existsSync(path)) {
    throw new TidemarkError('TARGET_UNREACHABLE', 'The target file does not exist.', { remedy: 'Check the path in --to.' })
  }
  if (hasLedger(path, tablePrefix) === false) {
    throw new TidemarkError('TARGET_NOT_OWNED', `The target has no tables of Tidemark with the prefix "${tablePrefix}".`, {
      remedy: 'Check the path in --to, and --prefix.',
    })
  }
}

/** `undefined` when it can't be told: opening then says why, by code. */
function hasLedger(path: string, tablePrefix: string): boolean | undefined {
  try {
    const database = new DatabaseSync(path, { readOnly: true })
    try {
      return database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(`${tablePrefix}replication_configs`) !== undefined
    } finally {
      database.close()
    }
  } catch {
    return undefined
  }
}
