import { TidemarkError } from '@tidemark/core'
import type { CaptureStatus } from '@tidemark/node'
import { openChanges, openCheckpoints, type CaptureOptions } from './open-changes.ts'
import { openTailSlot } from './open-postgres-tail.ts'
import { TAIL_CONSUMER } from './open-tail.ts'
import type { TailOptions } from './tail-options.ts'

/** Removes what `tail` has made. Returns what it did, for people. */
export async function uninstallTail(options: TailOptions): Promise<string> {
  const { location, slot = '' } = options
  if (location.kind !== 'postgres') return uninstallCapture({ ...options, location })
  const source = await openTailSlot({ ...options, location }, slot)
  const { slot: name, health } = await source.slotStatus()
  if (health === 'missing') return `There is no slot ${name}.`
  await source.drop()
  return `Dropped the slot ${name}, and its publication.`
}

/** Takes the triggers off the tables named, or off all with the log and every checkpoint of `tail`. Returns what it did, for people. */
async function uninstallCapture(options: CaptureOptions): Promise<string> {
  const source = await openChanges(options)
  const status = await source.status()
  if (!status.isInstalled) return 'Nothing is installed.'
  const tables = options.tables.map((table) => capturedName(status, table))
  if (tables.length > 0) {
    await source.uninstall({ tables })
    return `Removed the triggers of ${tables.join(', ')}. The log stays for what is in it; without --table it goes too.`
  }
  refuseOthers(status)
  await source.uninstall()
  await (await openCheckpoints(options)).destroy()
  return `Removed the triggers of ${status.tables.map(({ name }) => name).join(', ') || 'no table'}, the log, and what --id remembered.`
}

/** Errors: `TABLE_UNKNOWN`. */
function capturedName({ tables }: CaptureStatus, wanted: string): string {
  const found = tables.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())
  if (found === undefined) throw new TidemarkError('TABLE_UNKNOWN', `No changes of a table '${wanted}' are captured.`)
  return found.name
}

/** An application that goes on later must find its log. Errors: `LOG_NOT_OWNED`. */
function refuseOthers({ consumers }: CaptureStatus): void {
  const others = consumers.map(({ name }) => name).filter((name) => !name.startsWith(TAIL_CONSUMER))
  if (others.length === 0) return
  throw new TidemarkError('LOG_NOT_OWNED', `An application reads this log as ${others.map((name) => `"${name}"`).join(', ')}; nothing was removed.`, {
    remedy: 'Name tables with --table, or let the application end its stream with destroy() first.',
  })
}
