import type { ArgsDef } from 'citty'
import type { CommandContext, TidemarkCommand } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { tail } from '../tail.ts'
import { tailOptions, type TailOptions } from '../tail-options.ts'
import { uninstallTail } from '../uninstall-capture.ts'
import { outputArgs, tlsArgs } from './args.ts'

const args = {
  database: { type: 'positional', description: 'A SQLite file, sqlite:path, the URL of a libSQL server, postgres://, or env:NAME for a postgres:// in the environment', required: false },
  token: { type: 'string', valueHint: 'env:NAME', description: 'Token of a libSQL server (default env:TIDEMARK_SOURCE_TOKEN)' },
  table: { type: 'string', valueHint: 'name', description: 'Table to follow; repeatable' },
  ops: { type: 'string', valueHint: 'insert,delete', description: 'Only changes of these kinds: insert, update, delete, truncate' },
  id: { type: 'string', valueHint: 'name', description: 'Remember under this name how far it came, and go on from there next time' },
  'from-start': { type: 'boolean', description: 'Begin with the oldest change that the log still has, not with the next one' },
  snapshot: { type: 'boolean', description: 'Begin with the rows that are there' },
  'until-idle': { type: 'boolean', description: 'End when everything committed by now is printed' },
  uninstall: { type: 'boolean', description: 'Remove the triggers of the tables, or without --table all of them and the log; with --slot the slot' },
  log: { type: 'string', valueHint: 'name', description: "Prefix of the log's tables in the database (default tidemark)" },
  slot: { type: 'string', valueHint: 'name', description: 'PostgreSQL: keep changes while this is away, in the slot tidemark_tail_name, and go on from there next time' },
  publication: { type: 'string', valueHint: 'name', description: 'PostgreSQL: a publication that is there already, for users who may not make one' },
  ...tlsArgs,
  ...outputArgs,
} as const satisfies ArgsDef

export const tailCommand: TidemarkCommand = {
  name: 'tail',
  description: 'Prints the changes of tables of a SQLite or PostgreSQL database as they are committed, one JSON object per line',
  args,
  run: async (context) => {
    const { flags, faults, host } = context
    const options = tailOptions(flags, { environment: host.environment, faults })
    faults.throwIfAny()
    if (options === undefined) return EXIT.usage
    if (!options.isUninstall) return run(options, context)
    notice(context, await uninstallTail(options))
    return EXIT.ok
  },
}

async function run(options: TailOptions, context: CommandContext): Promise<number> {
  const { host, output } = context
  const end = new AbortController()
  let exitCode: number = EXIT.ok
  const releases = [
    host.onInterrupt(() => {
      if (exitCode === EXIT.interrupted) return host.exit(EXIT.interrupted)
      exitCode = EXIT.interrupted
      end.abort()
    }),
    // Whoever read has seen enough.
    host.onOutputClosed(() => end.abort()),
  ]
  try {
    await tail(options, { write: (lines) => output.rows(lines), notice: (text) => notice(context, text), signal: end.signal })
  } catch (error) {
    if (!end.signal.aborted) throw error
  } finally {
    for (const release of releases) release()
  }
  return exitCode
}

/** With `--json` stderr stays empty, as with every other command. */
function notice({ flags, output }: CommandContext, text: string): void {
  if (!flags.has('json')) output.say(text)
}
