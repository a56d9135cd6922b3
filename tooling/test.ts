import { spawnSync } from 'node:child_process'
import { laneNames } from './vitest-lanes.ts'

/**
 * Runs the lanes: `npm test`, `npm test -- --lane unit --lane postgres`, and anything else goes to the runner.
 * An unknown lane is an error: a run must never pass because nothing was selected.
 */
function main(args: readonly string[]): number {
  const { lanes, rest } = parse(args)
  const unknown = lanes.filter((lane) => !laneNames.includes(lane))
  if (unknown.length > 0) {
    process.stderr.write(`Unknown lane: ${unknown.join(', ')}. Known: ${laneNames.join(', ')}.\n`)
    return 2
  }
  const chosen = lanes.length > 0 ? lanes : laneNames.filter((lane) => lane !== 'long')
  const projects = chosen.flatMap((lane) => ['--project', lane])
  const vitest = ['exec', 'vitest', 'run', '--config', 'vitest.workspace.ts', ...projects, ...rest]
  return spawnSync('pnpm', vitest, { stdio: 'inherit' }).status ?? 1
}

function parse(args: readonly string[]): { readonly lanes: readonly string[]; readonly rest: readonly string[] } {
  const lanes: string[] = []
  const rest: string[] = []
  for (let index = 0; index < args.length; index += 1) {
    const value = args[index] ?? ''
    if (value !== '--lane') rest.push(value)
    else lanes.push(args[index += 1] ?? '')
  }
  return { lanes, rest }
}

process.exitCode = main(process.argv.slice(2))
