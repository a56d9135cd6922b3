import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '@tidemark/test-servers'
import { parseOptions, type DemoOptions } from './options.ts'
import { Reporter } from './reporter.ts'
import { runDemo, type DemoFigures } from './run-demo.ts'
import { summarise, summaryLines, type Summary } from './summary.ts'

interface Outcome {
  readonly summary: Summary
  readonly figures: DemoFigures
}

/** A server and a folder for as long as the demo runs. */
async function stage(options: DemoOptions, reporter: Reporter): Promise<Outcome> {
  const startedAtMs = performance.now()
  reporter.line('Starting PostgreSQL')
  const server = await startPostgres()
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-demo-'))
  const path = join(folder, 'cities.db')
  try {
    reporter.line(`PostgreSQL ${server.version} (${server.origin})`)
    const database = await server.createDatabase()
    try {
      const figures = await runDemo({ options, url: database.url, path, reporter })
      return { figures, summary: summarise(figures, server.info, (performance.now() - startedAtMs) / 1_000) }
    } finally {
      await database[Symbol.asyncDispose]()
    }
  } finally {
    await server[Symbol.asyncDispose]()
    if (options.keep) reporter.line(`SQLite file kept: ${path}`)
    else await rm(folder, { recursive: true, force: true })
  }
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args)
  const reporter = new Reporter(options.json ? process.stderr : process.stdout)
  try {
    const { summary, figures } = await stage(options, reporter)
    for (const line of summaryLines(summary, figures.comparison.examples)) reporter.line(line)
    if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
    process.exitCode = summary.ok ? 0 : 1
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    reporter.line(message)
    if (options.json) process.stdout.write(`${JSON.stringify({ ok: false, verified: false, error: message })}\n`)
    process.exitCode = 1
  }
}

await main(process.argv.slice(2))
