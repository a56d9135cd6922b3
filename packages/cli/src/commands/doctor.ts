import type { DoctorReport, ErrorCode, Finding } from '@tidemark/core'
import type { ArgsDef } from 'citty'
import type { CommandContext, TidemarkCommand } from '../command.ts'
import { configure } from '../configure.ts'
import { tlsOption } from '../connection-options.ts'
import { EXIT, exitCodeOfAll } from '../exit-code.ts'
import { postgresDatabase } from '../postgres-database.ts'
import { reportError } from '../report-error.ts'
import { reportOf } from '../report-of.ts'
import { outputArgs, sourceArgs, tableArgs } from './args.ts'

const args = {
  database: { type: 'positional', description: 'postgres://, or env:NAME: what stands in the way of streaming its changes, instead of copying its tables', required: false },
  slot: { type: 'string', valueHint: 'name', description: 'Of the stream; without, every slot of the server is looked at' },
  publication: { type: 'string', valueHint: 'name', description: 'Of the stream' },
  ...sourceArgs, ...tableArgs, ...outputArgs,
} as const satisfies ArgsDef

export const doctorCommand: TidemarkCommand = {
  name: 'doctor',
  description: 'Says what is wrong with source tables and tracking columns, or with streaming changes, with the SQL that mends it',
  args,
  run: async (context) => {
    if (context.flags.has('database')) return runStream(context)
    for (const name of ['slot', 'publication']) if (context.flags.has(name)) context.faults.add(`--${name}`, 'Is for streams: name the database first.')
    const { replicator, names } = await configure(context, { target: 'none' })
    // One table that can't be examined keeps no other from it.
    const outcomes = await Promise.allSettled(names.map((name) => replicator.doctor(name)))
    const codes: ErrorCode[] = []
    const findings: Finding[] = []
    outcomes.forEach((outcome, index) => {
      if (outcome.status === 'rejected') {
        const report = reportOf(outcome.reason)
        codes.push(report.code)
        reportError(context, report, names[index])
        return
      }
      findings.push(...outcome.value.flatMap((report) => report.findings))
      for (const report of outcome.value) print(context, report)
    })
    return conclude(context, codes, findings)
  },
}

async function runStream(context: CommandContext): Promise<number> {
  const { flags, faults, host } = context
  for (const name of NOT_FOR_STREAMS) if (flags.has(name)) faults.add(`--${name}`, 'Has no meaning for streams.')
  const url = postgresDatabase(flags, { environment: host.environment, faults })
  const tls = tlsOption(flags, faults)
  faults.throwIfAny()
  if (url === undefined) return EXIT.usage
  const { diagnoseStream } = await import('@tidemark/postgres')
  const findings = await diagnoseStream({ url, tls }, { tables: flags.all('table'), slot: flags.get('slot'), publication: flags.get('publication') })
  print(context, { name: 'stream', findings })
  return conclude(context, [], findings)
}

const NOT_FOR_STREAMS = ['from', 'tracking', 'mode', 'key', 'columns', 'null-tracking', 'on-schema-change']

function print({ flags, output }: CommandContext, { name, findings }: Pick<DoctorReport, 'name' | 'findings'>): void {
  if (flags.has('json')) {
    for (const { id, severity, message, sql } of findings) output.json({ type: 'finding', name, id, severity, message, sql: sql ?? null })
    return
  }
  if (findings.length === 0) output.data(`${name}: nothing found`)
  for (const finding of findings) output.data(findingText(name, finding))
}

function findingText(name: string, { id, severity, message, sql }: Finding): string {
  const remedy = sql === undefined ? [] : sql.split('\n').map((line) => `    ${line}`)
  return [`${name}: ${severity}: ${message} (${id})`, ...remedy].join('\n')
}

function conclude({ flags, output }: CommandContext, codes: readonly ErrorCode[], findings: readonly Finding[]): number {
  const errors = findings.filter((finding) => finding.severity === 'error').length
  const exitCode = errors > 0 ? EXIT.failed : exitCodeOfAll(codes)
  if (flags.has('json')) output.json({ type: 'summary', ok: exitCode === EXIT.ok, exitCode, findings: findings.length, errors })
  return exitCode
}
