import type { DoctorReport, ErrorCode, Finding } from '@tidemark/core'
import type { ArgsDef } from 'citty'
import type { CommandContext, TidemarkCommand } from '../command.ts'
import { configure } from '../configure.ts'
import { EXIT, exitCodeOfAll } from '../exit-code.ts'
import { reportError } from '../report-error.ts'
import { reportOf } from '../report-of.ts'
import { outputArgs, sourceArgs, tableArgs } from './args.ts'

const args = { ...sourceArgs, ...tableArgs, ...outputArgs } as const satisfies ArgsDef

export const doctorCommand: TidemarkCommand = {
  name: 'doctor',
  description: 'Says what is wrong with source tables and tracking columns, with the SQL that mends it',
  args,
  run: async (context) => {
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

function print({ flags, output }: CommandContext, { name, findings }: DoctorReport): void {
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
