import type { Health } from './answers.ts'
import { h, type Child } from './dom.ts'
import { duration, several, short } from './format.ts'
import type { State } from './state.ts'

interface Figure {
  readonly title: string
  readonly value: string
  readonly note: string
  readonly tone?: 'bad' | 'warn' | undefined
  /** Of the section that has more. */
  readonly to: string
}

/** What matters at a glance, each a link to the section that has all of it. */
export function figures(state: State, window: { readonly fromMs: number; readonly label: string }): Child {
  const all = [...replicationFigures(state, window), ...otherFigures(state)]
  return all.map(({ title, value, note, tone, to }) => h('a', { href: `#${to}`, class: 'figure' }, h('span', { class: 'title' }, title), h('span', { class: 'value' }, value), h('span', { class: `note ${tone ?? ''}` }, note)))
}

function replicationFigures({ replications, runs }: State, { fromMs, label }: { readonly fromMs: number; readonly label: string }): readonly Figure[] {
  if (replications === undefined || runs === undefined) return []
  const failed = replications.filter(({ activity }) => activity === 'failed').length
  const syncing = replications.filter(({ activity }) => activity === 'syncing').length
  const oldest = replications.filter(({ is_active, lastSyncAtMs }) => is_active && lastSyncAtMs !== undefined).toSorted((a, b) => (a.lastSyncAtMs ?? 0) - (b.lastSyncAtMs ?? 0))[0]
  const rows = runs.filter(({ created_at }) => Date.parse(created_at) >= fromMs).reduce((sum, run) => sum + run.records_processed, 0)
  return [
    { title: 'Replications', value: String(replications.length), note: failed > 0 ? `${failed} failed` : syncing > 0 ? `${syncing} syncing` : 'all well', tone: failed > 0 ? 'bad' : undefined, to: 'replications' },
    { title: 'Greatest lag', value: oldest?.lastSyncAtMs === undefined ? '–' : duration(Date.now() - oldest.lastSyncAtMs), note: oldest?.name ?? 'nothing was synced', to: 'lag' },
    { title: 'Rows written', value: short(rows), note: `last ${label}`, to: 'throughput' },
  ]
}

function otherFigures({ exports, imports, sources, peers }: State): readonly Figure[] {
  const figures: Figure[] = []
  if (exports !== undefined) {
    const running = exports.filter(({ status }) => status === 'pending' || status === 'processing').length
    const failed = exports.filter(({ status }) => status === 'failed').length
    figures.push({ title: 'Exports', value: String(exports.length), note: failed > 0 ? `${failed} failed` : running > 0 ? `${running} under way` : 'none under way', tone: failed > 0 ? 'bad' : undefined, to: 'exports' })
  }
  if (imports !== undefined && imports.length > 0) {
    const failed = imports.filter(({ status }) => status === 'failed').length
    figures.push({ title: 'Imports', value: String(imports.length), note: failed > 0 ? `${failed} failed` : `${imports.filter(({ status }) => status === 'loading').length} under way`, tone: failed > 0 ? 'bad' : undefined, to: 'imports' })
  }
  if (sources !== undefined) {
    const failed = sources.filter(({ state }) => state === 'failed').length
    figures.push({ title: 'Change sources', value: String(sources.length), note: failed > 0 ? `${failed} failed` : `${sources.filter(({ state }) => state === 'running').length} running`, tone: failed > 0 ? 'bad' : undefined, to: 'sources' })
  }
  if (peers !== undefined) {
    const behind = peers.filter(({ behindMs, phase }) => behindMs > 0 || phase === 'retrying' || phase === 'resting').length
    figures.push({ title: 'Peers', value: String(peers.length), note: behind > 0 ? `${behind} behind` : 'none behind', tone: behind > 0 ? 'warn' : undefined, to: 'peers' })
  }
  return figures
}

const PLACES: Readonly<Record<string, string>> = { 'replication': 'replications', 'change-source': 'sources', 'peer': 'peers', 'export': 'exports' }

/** What needs a look, each with the way to where its remedy stands. */
export function attention({ checks }: Health): Child {
  return checks.map(({ kind, name, status, code }) => h('li', {},
    h('a', { href: `#${PLACES[kind] ?? 'main'}` }, `${kind.replace('-', ' ')} ${name}`), ' ', code === undefined ? undefined : h('code', { class: status === 'error' ? 'bad' : 'warn' }, code)))
}

export function attentionTitle({ checks }: Health): string {
  return `${several(checks.length, 'thing')} ${checks.length === 1 ? 'needs' : 'need'} a look`
}
