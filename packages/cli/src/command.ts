import type { ArgsDef, CommandDef } from 'citty'
import { defineCommand } from 'citty'
import { Faults } from './faults.ts'
import { parseFlags, type Flags } from './flags.ts'
import type { Host } from './host.ts'
import type { Output } from './output.ts'
import { REPEATABLE } from './commands/args.ts'

/** What a command works with. */
export interface CommandContext {
  readonly flags: Flags
  /** Add to it, then `throwIfAny()` before anything is opened. */
  readonly faults: Faults
  readonly host: Host
  readonly output: Output
}

export interface TidemarkCommand {
  readonly name: string
  readonly description: string
  readonly args: ArgsDef
  /** Returns the exit code. */
  run(context: CommandContext): Promise<number>
}

/** What citty passes through to `run`. */
export interface CommandData {
  readonly host: Host
  readonly output: Output
}

/** A citty command around one of ours: citty finds it and writes its help, the options are read strictly. */
export function cittyCommand(command: TidemarkCommand): CommandDef {
  const { name, description, args } = command
  return defineCommand({
    meta: { name, description },
    args,
    run: ({ rawArgs, data }) => {
      const faults = new Faults()
      const flags = parseFlags(rawArgs, { args, repeatable: REPEATABLE }, faults)
      // citty types `data` as any; run.ts is the only caller and gives CommandData.
      const { host, output } = data as CommandData
      return command.run({ flags, faults, host, output })
    },
  })
}
