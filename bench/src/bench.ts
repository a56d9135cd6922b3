import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchCase } from './cases/case.ts'
import { chooseCases } from './cases/cases.ts'
import { parseOptions, type BenchOptions } from './options.ts'
import type { BenchFailure, BenchResult } from './result.ts'

/** Runs one case in a folder of its own. What goes wrong becomes the case's line, so that the other cases still run. */
async function runCase(chosen: BenchCase, options: BenchOptions): Promise<BenchResult | BenchFailure> {
  const folder = await mkdtemp(join(tmpdir(), `tidemark-bench-${chosen.name}-`))
  const log = (line: string): void => {
    if (!options.json) process.stderr.write(`${line}\n`)
  }
  try {
    return await chosen.run({ rows: options.rows, runs: options.runs, folder, log })
  } catch (error) {
    return { case: chosen.name, error: messageOf(error) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function main(args: readonly string[]): Promise<void> {
  const { options, cases } = plan(args)
  for (const chosen of cases) {
    const result = await runCase(chosen, options)
    process.stdout.write(`${JSON.stringify(result)}\n`)
    if ('error' in result) process.exitCode = 1
  }
}

function plan(args: readonly string[]): { readonly options: BenchOptions; readonly cases: readonly BenchCase[] } {
  try {
    const options = parseOptions(args)
    return { options, cases: chooseCases(options.cases) }
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\nUsage: npm run bench -- [--case NAME]... [--rows N] [--runs N] [--json]\n`)
    process.exit(2)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

await main(process.argv.slice(2))
