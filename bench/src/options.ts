import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** Names of cases, in the order given; `all` stands for every one. */
  readonly cases: readonly string[]
  readonly rows: number
  /** Runs of each side. */
  readonly runs: number
  /** Human lines are left out, also on stderr. */
  readonly json: boolean
}

export const DEFAULT_ROWS = 1_000_000
const DEFAULT_RUNS = 5

/** Errors: `TypeError` for an argument that is unknown or out of range. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      case: { type: 'string', multiple: true, default: ['all'] },
      rows: { type: 'string', default: String(DEFAULT_ROWS) },
      runs: { type: 'string', default: String(DEFAULT_RUNS) },
      json: { type: 'boolean', default: false },
    },
  })
  return { cases: values.case, rows: wholeNumber('--rows', values.rows), runs: wholeNumber('--runs', values.runs), json: values.json }
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new TypeError(`${name} must be a whole number from 1, and was "${text}".`)
  return number
}
