import { parseArgs } from 'node:util'

export interface DemoOptions {
  /** Human lines go to stderr, and the last line of stdout is one JSON object. */
  readonly json: boolean
  /** How long the writer goes on after the copy is first in place, in milliseconds. */
  readonly writeMs: number
  /** Seed of the writer's choices; printed, so that a run can be repeated. */
  readonly seed: number
  /** Leave the SQLite file and say where it is. */
  readonly keep: boolean
}

export const USAGE = 'Usage: npm run demo -- [--json] [--seconds N] [--seed N] [--keep]'

/** Errors: `TypeError` for an argument that is unknown or out of range. */
export function parseOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '6' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      keep: { type: 'boolean', default: false },
    },
  })
  const { json, keep } = values
  return { json, keep, writeMs: numberOf('--seconds', values.seconds) * 1_000, seed: numberOf('--seed', values.seed) }
}

function numberOf(name: string, text: string): number {
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number) || number < 0) throw new TypeError(`${name} must be a number from 0.`)
  return number
}
