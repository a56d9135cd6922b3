import { join } from 'node:path'
import { startPostgres } from '@tidemark/test-servers'
import { parseOptions, USAGE, type DemoOptions } from './options.ts'
import { Reporter } from './reporter.ts'
import { runDemo, type DemoFigures } from './run-demo.ts'
import { summarise, summaryLines, type Summary } from './summary.ts'
import { WorkFolder } from './work-folder.ts'

interface Outcome {
  readonly summary: Summary
  readonly figures: DemoFigures
}

/** A server and a folder for as long as the demo runs. */
async function stage(options: DemoOptions, reporter: Reporter): Promise<Outcome> {
  const startedAtMs = performance.now()
  const folder = new WorkFolder(options)
  try {
    reporter.line('Starting PostgreSQL')
    const server = await startPostgres()
    try {
      reporter.line(`PostgreSQL ${server.version} (${server.origin})`)
      const database = await server.createDatabase()
      try {
        const figures = await runDemo({ options, url: database.url, path: join(folder.path, 'cities.db'), reporter })
        return { figures, summary: summarise(figures, server.info, (performance.now() - startedAtMs) / 1_000) }
      } finally {
        await database[Symbol.asyncDispose]()
      }
    } finally {
      await server[Symbol.asyncDispose]()
    }
  } finally {
    folder[Symbol.dispose]()
    if (options.keep) reporter.line(`Kept: ${folder.path}`)
  }
}

async function run(options: DemoOptions): Promise<void> {
  const reporter = new Reporter(options.json ? process.stderr : process.stdout)
  try {
    const { summary, figures } = await stage(options, reporter)
    for (const line of summaryLines(summary, figures.comparison.examples)) reporter.line(line)
    if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
    process.exitCode = summary.ok ? 0 : 1
  } catch (error) {
    reporter.line(messageOf(error))
    if (options.json) process.stdout.write(`${JSON.stringify({ ok: false, rows: 0, verified: false, error: messageOf(error) })}\n`)
    process.exitCode = 1
  }
}

async function main(args: readonly string[]): Promise<void> {
  let options: DemoOptions
  try {
    options = parseOptions(args)
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n${USAGE}\n`)
    process.exitCode = 2
    return
  }
  await run(options)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

await main(process.argv.slice(2))
