import type { ArgsDef } from 'citty'
import type { CommandContext, TidemarkCommand } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { exportOptions, type ExportOptions } from '../export-options.ts'
import { exportReporterFor } from '../export-reporter.ts'
import { openExporter } from '../open-exporter.ts'
import { placeText } from '../storage-place.ts'
import { outputArgs, sourceArgs } from './args.ts'

const args = {
  database: { type: 'positional', description: 'A SQLite file, postgres://… or mysql://…, or env:NAME for one in the environment', required: false },
  to: { type: 'string', valueHint: 'folder|s3://bucket/prefix', description: 'Where the dump goes, in a folder of its own id' },
  table: { type: 'string', valueHint: 'name', description: 'Only this table; repeatable' },
  exclude: { type: 'string', valueHint: 'name', description: 'Leave out the table of exactly this name; repeatable' },
  'exclude-matching': { type: 'string', valueHint: 'regexp', description: 'Leave out tables whose name matches; repeatable' },
  'schema-only': { type: 'boolean', description: 'Definitions without rows' },
  'data-only': { type: 'boolean', description: 'Rows without definitions' },
  format: { type: 'string', valueHint: 'sql|csv|csv-guarded|ndjson', description: 'SQL that the engine\'s own shell loads, or a file a table (default sql)' },
  layout: { type: 'string', valueHint: 'single|directory', description: 'One file, or many of bounded size (default single)' },
  consistency: { type: 'string', valueHint: 'auto|snapshot|corrected|fuzzy', description: 'snapshot: one instant; corrected (SQLite): the same without a copy; fuzzy: each page as it is when it is read (default auto: snapshot)' },
  pause: { type: 'string', valueHint: '2s', description: 'Rest between slices of 20 seconds' },
  name: { type: 'string', valueHint: 'name', description: 'File name without its extension (default dump_ and the time)' },
  resume: { type: 'string', valueHint: 'id', description: 'Go on with an export that was stopped; its other options are as they were' },
  tls: sourceArgs.tls,
  ca: sourceArgs.ca,
  quiet: { type: 'boolean', description: 'Errors only' },
  ...outputArgs,
} as const satisfies ArgsDef

export const exportCommand: TidemarkCommand = {
  name: 'export',
  description: 'Writes a database as SQL that its own shell loads, CSV or NDJSON, exact and resumable',
  args,
  run: async (context) => {
    const { flags, faults, host } = context
    const options = exportOptions(flags, { environment: host.environment, faults })
    faults.throwIfAny()
    return options === undefined ? EXIT.usage : run(options, context)
  },
}

/** The first interrupt ends it after what is being written, and the same job can go on; the second at once. */
async function run({ database, databaseText, place, request, resume }: ExportOptions, context: CommandContext): Promise<number> {
  const { host, flags, output } = context
  const end = new AbortController()
  const release = host.onInterrupt(() => {
    if (end.signal.aborted) return host.exit(EXIT.interrupted)
    end.abort()
  })
  await using opened = await openExporter({ database, place, environment: host.environment })
  const { exporter } = opened
  const reporter = exportReporterFor(context)
  const id = resume ?? (await exporter.start(request)).id
  try {
    for await (const status of exporter.run(id, { signal: end.signal })) reporter.progress(status)
    reporter.end(await exporter.finish(id))
    return EXIT.ok
  } catch (error) {
    reporter.stop()
    if (!end.signal.aborted) throw error
    if (!flags.has('json')) output.say(`Stopped. Go on with: tidemark export ${databaseText} --to ${placeText(place)} --resume ${id}`)
    return EXIT.interrupted
  } finally {
    release()
  }
}
