import { onAction } from './actions.ts'
import { barChart, lineChart, type Window } from './chart.ts'
import { configureButton } from './configure.ts'
import { byId, empty, h, update, type Child } from './dom.ts'
import { exportForm, exportsTable } from './exports.ts'
import { Feed, feedRefused } from './feed.ts'
import { clock, duration, moment, several, short } from './format.ts'
import { BUCKETS, lagOf, throughputOf } from './history.ts'
import { importForm, importsTable } from './imports.ts'
import { attention, attentionTitle, figures } from './overview.ts'
import { replicationsTable } from './replications.ts'
import { runsFilter, runsTable } from './runs.ts'
import { peersTable, sourcesTable } from './sources.ts'
import { mayOf, readState, RUNS, type May, type State } from './state.ts'
import { themeButton } from './theme.ts'
import { chosenWindow, windowChoice } from './window.ts'

const REFRESH_MS = 2_000
const CHART_WIDTH = 560

let state: State | undefined
let isReading = false
const sections = new Map<string, HTMLElement>()
const feed = new Feed(() => draw())

/** One section; it keeps its elements, so that only what is new is drawn. */
function section(id: string, title: string, parts: { readonly isWide?: boolean; readonly tools?: Child; readonly content: Child }): void {
  const element = sections.get(id) ?? makeSection(id, parts.isWide === true ? 'wide' : '')
  const [head, body] = element.children
  if (head === undefined || body === undefined) return
  update(head, h('h2', { id: `${id}-title` }, title), h('div', { class: 'tools' }, parts.tools))
  update(body, parts.content)
}

function makeSection(id: string, kind: string): HTMLElement {
  const element = h('section', { id, 'aria-labelledby': `${id}-title`, 'class': kind, 'tabindex': -1 }, h('div', { class: 'head' }), h('div', { class: 'body' }))
  sections.set(id, element)
  byId('main').append(element)
  return element
}

function draw(): void {
  if (state === undefined) return
  const { session, replications, exports, imports, sources, peers } = state
  const may = mayOf(session)
  drawHead(state)
  drawReplications(state, may)
  if (sources !== undefined) section('feed', 'Live changes', { content: may.operate ? feed.view(sources, [...new Set(replications?.map(({ source_table }) => source_table))]) : feedRefused() })
  if (exports !== undefined) section('exports', 'Exports', { tools: exportForm(may), content: exportsTable(exports, { may, onChange: draw }) })
  if (imports !== undefined) section('imports', 'Imports', { tools: importForm(may, exports ?? []), content: importsTable(imports, may) })
  if (sources !== undefined) section('sources', 'Sources of changes', { content: sourcesTable(sources) })
  if (peers !== undefined) section('peers', 'Peers', { content: peersTable(peers) })
  if (session.capabilities.every((name) => name === 'receiver')) update(byId('main'), empty('This handler was made without a replicator, exporter, importer, stream or propagator.'))
}

function drawReplications({ session, replications, runs }: State, may: May): void {
  if (replications === undefined || runs === undefined) return
  const { ms } = chosenWindow(runs)
  const window: Window = { fromMs: Date.now() - ms, toMs: Date.now() }
  section('replications', 'Replications', { isWide: true, tools: may.admin ? configureButton(session.sources, () => void refresh()) : undefined, content: replicationsTable(replications, may) })
  section('lag', 'Lag', { tools: windowChoice(runs, draw), content: lineChart('Time since the last sync that succeeded', lagOf(replications, runs, window), { window, width: widthOf('lag'), format: duration }) })
  section('throughput', 'Throughput', {
    tools: h('span', { class: 'quiet' }, `rows written, per ${duration(ms / BUCKETS)}`),
    content: barChart('Rows written', throughputOf(runs, window), { window, width: widthOf('throughput'), format: (value) => several(value, 'row'), mark: short, note: beginning(runs, window) }),
  })
  section('runs', 'Run history', { tools: runsFilter(runs, draw), content: runsTable(runs) })
}

/** Where there are more runs than were asked for, the charts begin late, and say so. */
function beginning(runs: State['runs'], { fromMs }: Window): string | undefined {
  const oldest = runs?.length === RUNS ? runs.at(-1) : undefined
  return oldest !== undefined && Date.parse(oldest.created_at) > fromMs ? `the newest ${RUNS} runs only, from ${moment(Date.parse(oldest.created_at))} on` : undefined
}

function widthOf(id: string): number {
  const body = sections.get(id)?.lastElementChild
  return body === null || body === undefined || body.clientWidth === 0 ? CHART_WIDTH : body.clientWidth
}

function drawHead(shown: State): void {
  const { session: { scopes }, health, runs = [] } = shown
  const { ms, label } = chosenWindow(runs)
  tell('health', health.status === 'ok' ? 'All is well' : attentionTitle(health), `pill ${{ ok: 'good', warn: 'warn', error: 'bad' }[health.status]}`)
  tell('scopes', `You may: ${scopes.join(', ')}`, 'quiet')
  update(byId('attention'), attention(health))
  update(byId('figures'), figures(shown, { fromMs: Date.now() - ms, label }))
}

/** What is the same is not written again: it would be read out again. */
function tell(id: string, text: string, kind: string): void {
  const place = byId(id)
  if (place.textContent !== text) place.textContent = text
  place.className = kind
}

async function refresh(): Promise<void> {
  if (isReading) return
  isReading = true
  try {
    state = await readState()
    tell('updated', `As of ${clock(Date.now())}`, 'quiet')
    document.getElementById('loading')?.remove()
    draw()
  } catch (error) {
    tell('updated', `Not current: ${error instanceof Error ? error.message : ''}`, 'bad')
  } finally {
    isReading = false
  }
}

themeButton(byId('theme'))
onAction(() => {
  draw()
  void refresh()
})
document.addEventListener('visibilitychange', () => { if (!document.hidden) void refresh() })
window.addEventListener('resize', draw)
setInterval(() => { if (!document.hidden) void refresh() }, REFRESH_MS)
void refresh()
