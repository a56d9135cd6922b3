import type { CommandContext } from './command.ts'
import { errorText } from './error-text.ts'
import { errorLine } from './json-lines.ts'
import type { ReportedError } from './reporter.ts'

/** An error of a command that has no reporter: a line for people, or a line of JSON. */
export function reportError({ flags, output }: Pick<CommandContext, 'flags' | 'output'>, error: ReportedError, name?: string): void {
  if (flags.has('json')) output.json(errorLine(error, name))
  else output.say(errorText(error, name))
}
