import type { CommandContext } from './command.ts'
import { JsonReporter } from './json-lines.ts'
import { LineReporter, QuietReporter } from './line-reporter.ts'
import { BarReporter } from './progress-bar.ts'
import type { Reporter } from './reporter.ts'

/** Bars on a terminal, lines elsewhere, JSON or near silence where they are asked for. */
export function reporterFor({ flags, host, output }: CommandContext): Reporter {
  if (flags.has('json')) return new JsonReporter(output)
  if (flags.has('quiet')) return new QuietReporter(output)
  const lines = new LineReporter(output)
  const { terminal } = host
  if (terminal === undefined) return lines
  return new BarReporter({ lines, stream: terminal, hasColor: output.hasColor, clean: (text) => output.clean(text) })
}
