import { Importer, type ImportInput } from '@tidemark/core'
import { nodeSqlite } from '@tidemark/node'
import type { ArgsDef } from 'citty'
import type { CommandContext, TidemarkCommand } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { newFileOption } from '../export-database.ts'
import { importReporterFor } from '../import-reporter.ts'
import { openStorage, placeText, storedOption, type StoredThing } from '../storage-place.ts'
import { outputArgs } from './args.ts'

const args = {
  dump: { type: 'positional', description: 'Folder of a dump, the one that manifest.json is in, or a file of SQL, .sql or .sql.gz; also s3://bucket/prefix/…', required: false },
  to: { type: 'string', valueHint: 'file', description: 'SQLite file to load into; made when it is not there' },
  quiet: { type: 'boolean', description: 'Errors only' },
  ...outputArgs,
} as const satisfies ArgsDef

export const importCommand: TidemarkCommand = {
  name: 'import',
  description: 'Loads a dump, or a file of SQL, into a SQLite file; stopped, it goes on where it was',
  args,
  run: async (context) => {
    const { flags, faults } = context
    const dump = storedOption(flags.get('dump'), { name: 'dump', faults })
    const path = newFileOption(flags.get('to'), { name: '--to', faults })
    faults.throwIfAny()
    return dump === undefined || path === undefined ? EXIT.usage : run({ dump, path }, context)
  },
}

/** The first interrupt ends it after the slice at hand; the same command goes on. The second at once, which loses that slice. */
async function run({ dump, path }: { readonly dump: StoredThing; readonly path: string }, context: CommandContext): Promise<number> {
  const { host, flags, output } = context
  const end = new AbortController()
  const release = host.onInterrupt(() => {
    if (end.signal.aborted) return host.exit(EXIT.interrupted)
    end.abort()
  })
  const importer = new Importer({ source: openStorage(dump.place, host.environment, { create: false }), target: nodeSqlite({ path }) })
  const input: ImportInput = /\.sql(\.gz)?$/.test(dump.name) ? { sql: dump.name } : dump.name
  const reporter = importReporterFor(context)
  try {
    for await (const status of importer.run(input, { signal: end.signal })) reporter.progress(status)
    return EXIT.ok
  } catch (error) {
    reporter.stop()
    if (!end.signal.aborted) throw error
    if (!flags.has('json')) output.say(`Stopped. Go on with: tidemark import ${placeText(dump.place)}/${dump.name} --to ${path}`)
    return EXIT.interrupted
  } finally {
    release()
  }
}
