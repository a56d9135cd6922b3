import type { ChangeSource, Peer } from './answers.ts'
import { empty, h, pill, type Child } from './dom.ts'
import { errorBlock } from './error-block.ts'
import { count, duration, several } from './format.ts'
import { NONE, table } from './table.ts'

const SOURCE_TONES: Readonly<Record<string, 'good' | 'warn' | 'bad' | undefined>> = { running: 'good', connecting: 'warn', reconnecting: 'warn', failed: 'bad' }
const PEER_TONES = { new: undefined, copying: 'busy', streaming: 'good', retrying: 'warn', resting: 'bad' } as const

/** A stream's name is of interest where there are several. */
export function sourceName({ stream, name }: Pick<ChangeSource, 'stream' | 'name'>, sources: readonly Pick<ChangeSource, 'stream'>[]): string {
  if (sources.every((other) => other.stream === stream)) return name
  return sources.filter((other) => other.stream === stream).length === 1 ? stream : `${stream} / ${name}`
}

export function sourcesTable(sources: readonly ChangeSource[]): Child {
  return table<ChangeSource>('Sources of changes', [
    { title: 'Source', kind: 'main', cell: (source) => [h('strong', {}, sourceName(source, sources)), h('small', {}, source.address)] },
    { title: 'State', cell: ({ state, lastError }) => [pill(state, SOURCE_TONES[state]), lastError === undefined ? undefined : errorBlock(lastError)] },
    { title: 'Subscribers', cell: ({ subscribers }) => (subscribers.length === 0 ? 'none' : subscribers.map(subscriberLine)) },
  ], sources, { key: ({ stream, name }) => `${stream}-${name}` })
}

function subscriberLine({ id, state, durable, lag }: ChangeSource['subscribers'][number]): Child {
  const behind = lag?.events === undefined ? '' : `, ${lag.events === 0 ? 'nothing' : several(lag.events, 'change')} behind`
  return h('span', { class: 'entry' }, h('b', {}, id), h('small', {}, `${durable ? 'durable, ' : ''}${state}${behind}`))
}

export function peersTable(peers: readonly Peer[]): Child {
  if (peers.length === 0) return empty('There are no peers.')
  return table<Peer>('Peers', [
    { title: 'Peer', kind: 'main', cell: ({ name, address }) => [h('strong', {}, name), h('small', {}, address)] },
    { title: 'State', cell: ({ phase, retryAtMs }) => [pill(phase, PEER_TONES[phase]), retryAtMs === undefined || retryAtMs < Date.now() ? undefined : h('small', {}, `tried again in ${duration(retryAtMs - Date.now())}`)] },
    { title: 'Lag', kind: 'number', cell: ({ behindMs }) => (behindMs === 0 ? 'none' : duration(behindMs)) },
    { title: 'Sent', kind: 'number', cell: ({ sent: { changes, rowsCopied } }) => [count(changes), rowsCopied === 0 ? undefined : h('small', {}, `+ ${count(rowsCopied)} copied`)] },
    { title: 'Last error', cell: troubles },
  ], peers, { key: ({ name }) => name })
}

function troubles({ lastError, failures, tables }: Peer): Child {
  const notLive = Object.entries(tables)
  if (lastError === undefined && notLive.length === 0) return NONE
  return [
    lastError === undefined ? undefined : errorBlock(lastError),
    failures > 1 ? h('small', {}, `${failures} failures in a row`) : undefined,
    notLive.map(([name, { state, error }]) => h('div', {}, h('small', {}, `${name}: ${state}`), error === undefined ? undefined : errorBlock(error))),
  ]
}
