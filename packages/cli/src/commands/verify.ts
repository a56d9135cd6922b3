import { verifyDump, type VerifyReport } from '@tidemark/core'
import { nodeSqlite } from '@tidemark/node'
import type { ArgsDef } from 'citty'
import type { CommandContext, TidemarkCommand } from '../command.ts'
import { choice } from '../connection-options.ts'
import { EXIT } from '../exit-code.ts'
import { fileOption } from '../export-database.ts'
import { formatBytes, formatCount } from '../format.ts'
import { openStorage, storedOption } from '../storage-place.ts'
import { outputArgs } from './args.ts'

const args = {
  dump: { type: 'positional', description: 'Folder of the dump, the one that manifest.json is in, or s3://bucket/prefix/id', required: false },
  mode: { type: 'string', valueHint: 'objects|rows|deep', description: 'Read the files back, render a database again, or both and ask the engine (default objects, with --against deep)' },
  against: { type: 'string', valueHint: 'file', description: 'SQLite file into which the dump was loaded' },
  ...outputArgs,
} as const satisfies ArgsDef

export const verifyCommand: TidemarkCommand = {
  name: 'verify',
  description: 'Looks whether a dump is what was written, and whether a database is what was dumped',
  args,
  run: async (context) => {
    const { flags, faults, host } = context
    const dump = storedOption(flags.get('dump'), { name: 'dump', faults })
    const mode = choice(flags, { name: 'mode', choices: ['objects', 'rows', 'deep'], faults })
    const against = flags.has('against') ? fileOption(flags.get('against'), { name: '--against', faults }) : undefined
    if (mode !== undefined && mode !== 'objects' && !flags.has('against')) faults.add('--against', `Is missing; --mode ${mode} needs it.`)
    faults.throwIfAny()
    if (dump === undefined) return EXIT.usage
    const report = await verifyDump({
      storage: openStorage(dump.place, host.environment, { create: false }), id: dump.name, mode: mode ?? (against === undefined ? 'objects' : 'deep'),
      against: against === undefined ? undefined : nodeSqlite({ path: against }),
    })
    print(context, report)
    return report.ok ? EXIT.ok : EXIT.failed
  },
}

function print({ flags, output }: CommandContext, report: VerifyReport): void {
  const { findings, objects, chunks, bytes, ok } = report
  if (flags.has('json')) return output.json({ type: 'verify', ...report })
  for (const { kind, message, object, table } of findings) output.data(`${[kind, table, object].filter((part) => part !== undefined).join(' ')}: ${message}`)
  output.say(`${ok ? 'Nothing found' : `${findings.length} findings`} in ${formatCount(objects)} objects, ${formatCount(chunks)} chunks, ${formatBytes(bytes)}`)
}
