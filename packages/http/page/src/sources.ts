import type { ChangeSource, Peer } from './answers.ts'
import { h, pill, table, type Child } from './dom.ts'
import { count, duration } from './format.ts'
import { errorCell } from './replications.ts'

const SOURCE_TONES: Readonly<Record<string, 'good' | 'warn' | 'bad' | undefined>> = { running: 'good', connecting: 'warn', reconnecting: 'warn', failed: 'bad' }
const PEER_TONES = { new: undefined, copying: 'warn', streaming: 'good', retrying: 'warn', resting: 'bad' } as const

export function sourcesTable(sources: readonly ChangeSource[]): Child {
  return table<ChangeSource>('Sources of changes', [
    { title: 'Source', cell: ({ name, address }) => [h('strong', {}, name), h('small', {}, address)] },
    { title: 'State', cell: ({ state, lastError }) => [pill(state, SOURCE_TONES[state]), lastError === undefined ? undefined : errorCell(lastError)] },
    { title: 'Subscribers', cell: ({ subscribers }) => (subscribers.length === 0 ? 'none' : subscribers.map(({ id, state, lag }) => h('small', {}, `${id}: ${state}${lag?.events === undefined ? '' : `, ${count(lag.events)} changes behind`}`))) },
  ], sources)
}

export function peersTable(peers: readonly Peer[]): Child {
  return table<Peer>('Peers', [
    { title: 'Peer', cell: ({ name, address }) => [h('strong', {}, name), h('small', {}, address)] },
    { title: 'State', cell: ({ phase }) => pill(phase, PEER_TONES[phase]) },
    { title: 'Lag', kind: 'number', cell: ({ behindMs }) => (behindMs === 0 ? 'none' : duration(behindMs)) },
    { title: 'Sent', kind: 'number', cell: ({ sent }) => count(sent.changes) },
    { title: 'Last error', cell: ({ lastError, tables }) => [errorCell(lastError), Object.keys(tables).length === 0 ? undefined : h('small', {}, `Not live: ${Object.keys(tables).join(', ')}`)] },
  ], peers)
}
