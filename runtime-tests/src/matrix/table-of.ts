import { CAPABILITIES } from './capability.ts'
import type { Verdict } from './judge.ts'

/** A column: the runtime as it calls itself, and what came of each capability. */
export interface Column {
  readonly title: string
  readonly verdicts: readonly Verdict[]
}

/** Runtime by capability, and below it what is missing and why. */
export function tableOf(columns: readonly Column[]): string {
  const header = ['', ...columns.map(({ title }) => title)]
  const rows = CAPABILITIES.map((capability) => [capability, ...columns.map(({ verdicts }) => field(verdicts.find((verdict) => verdict.capability === capability)))])
  const widths = header.map((_, index) => Math.max(...[header, ...rows].map((row) => row[index]?.length ?? 0)))
  const lines = [header, ...rows].map((row) => row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ').trimEnd())
  const lacks = columns.flatMap(({ title, verdicts }) => verdicts.flatMap(({ lacks: found }) => found.map(({ capability, part, code, reason }) => `${title}, ${capability} ${part}: ${code}. ${reason}`)))
  const gaps = columns.flatMap(({ title, verdicts }) => verdicts.flatMap(({ capability, gaps: found }) => found.map((gap) => `GAP  ${title}, ${capability} ${gap}`)))
  return [...lines, ...(lacks.length === 0 ? [] : ['', 'Refused, as the runtime itself lacks what it takes:', ...lacks]), ...(gaps.length === 0 ? [] : ['', ...gaps]), ''].join('\n')
}

function field(verdict: Verdict | undefined): string {
  if (verdict === undefined) return 'GAP'
  const { parts, passed, gaps } = verdict
  return `${gaps.length > 0 ? 'GAP' : 'ok'} ${passed}/${parts}`
}
