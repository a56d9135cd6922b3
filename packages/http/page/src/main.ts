import { onAction, say } from './actions.ts'
import { barChart, lineChart, type Window } from './chart.ts'
import { byId, h, update, type Child } from './dom.ts'
import { exportForm, exportsTable } from './exports.ts'
import { Feed } from './feed.ts'
import { clock, count, duration } from './format.ts'
import { lagOf, throughputOf } from './history.ts'
import { replicationsTable, runsTable } from './replications.ts'
import { peersTable, sourcesTable } from './sources.ts'
import { mayOf, readState, type State } from './state.ts'
import { themeButton } from './theme.ts'

const REFRESH_MS = 2_000
const WINDOWS: readonly (readonly [label: string, ms: number])[] = [['15 minutes', 900_000], ['hour', 3_600_000], ['6 hours', 21_600_000], ['day', 86_400_000], ['week', 604_800_000]]

let windowMs = 3_600_000
let tables = ''
let state: State | undefined
let isReading = false
const sections = new Map<string, HTMLElement>()
const feed = new Feed(() => draw())

/** One section; it keeps its elements, so that only their content is new each time. */
function section(id: string, title: string, parts: { readonly isWide?: boolean; readonly tools?: Child; readonly content: Child }): void {
  const element = sections.get(id) ?? makeSection(id, parts.isWide === true ? 'wide' : '')
  const [head, body] = element.children
  if (head === undefined || body === undefined) return
  // Whoever writes in a field, or holds a list open, is not disturbed.
  if (!isChoosing(head)) update(head, h('h2', { id: `${id}-title` }, title), h('span', { class: 'push' }), parts.tools)
  update(body, parts.content)
}

function makeSection(id: string, kind: string): HTMLElement {
  const element = h('section', { id, 'aria-labelledby': `${id}-title`, 'class': kind }, h('div', { class: 'head' }), h('div', {}))
  sections.set(id, element)
  byId('main').append(element)
  return element
}

function isChoosing(head: Element): boolean {
  const focused = document.activeElement
  return (focused instanceof HTMLSelectElement || focused instanceof HTMLInputElement) && head.contains(focused)
}

function draw(): void {
  if (state === undefined) return
  const { session, health, replications, runs, exports, sources, peers } = state
  const may = mayOf(session)
  drawHead(state)
  if (replications !== undefined && runs !== undefined) {
    const window: Window = { fromMs: Date.now() - windowMs, toMs: Date.now() }
    section('replications', 'Replications', { isWide: true, content: replicationsTable(replications, may) })
    section('lag', 'Lag', { tools: windowChoice(), content: lineChart('Time since the last sync that succeeded', lagOf(replications, runs, window), { window, format: duration }) })
    section('throughput', 'Throughput', { content: barChart('Rows written', throughputOf(runs, window), { window, format: (value) => `${count(Math.round(value))} rows` }) })
    section('runs', 'Run history', { content: runsTable(runs) })
  }
  if (exports !== undefined) section('exports', 'Exports', { tools: exportForm(may), content: exportsTable(exports, may) })
  if (sources !== undefined) {
    section('sources', 'Sources of changes', { content: sourcesTable(sources) })
    section('feed', 'Live changes', { tools: may.operate ? feedTools(session.streams[0]) : undefined, content: may.operate ? feed.view() : h('p', { class: 'empty' }, 'Rows are shown to who has the scope operate.') })
  }
  if (peers !== undefined) section('peers', 'Peers', { isWide: true, content: peersTable(peers) })
  if (session.capabilities.length === 0) byId('main').replaceChildren(h('p', { class: 'empty' }, 'This handler was made without a replicator, exporter, stream or propagator.'))
  byId('health').title = health.checks.map(({ kind, name, code }) => `${kind} ${name}: ${code ?? ''}`).join('\n')
}

function drawHead({ session: { scopes }, health: { status, checks } }: State): void {
  const pill = byId('health')
  pill.className = `pill ${{ ok: 'good', warn: 'warn', error: 'bad' }[status]}`
  pill.textContent = status === 'ok' ? 'All is well' : `${checks.length} ${checks.length === 1 ? 'thing needs' : 'things need'} a look`
  byId('scopes').textContent = `You may: ${scopes.join(', ')}`
}

function windowChoice(): Child {
  const choice = h('select', { 'id': 'window', 'aria-label': 'Time that the charts show' }, WINDOWS.map(([label, ms]) => h('option', { value: ms, selected: ms === windowMs }, `Last ${label}`)))
  choice.addEventListener('change', () => {
    windowMs = Number(choice.value)
    draw()
  })
  return choice
}

function feedTools(stream: string | undefined): Child {
  const filter = h('input', { 'id': 'feed-tables', 'type': 'text', 'placeholder': 'all tables', 'aria-label': 'Tables to follow, parted by commas', 'value': tables, 'size': 14 })
  filter.addEventListener('input', () => { tables = filter.value })
  return [
    feed.total === 0 ? undefined : h('span', { class: 'quiet' }, `${count(feed.total)} seen`),
    filter,
    h('button', { id: 'feed-switch', type: 'button', click: () => (feed.isFollowing ? feed.stop() : feed.follow(stream, tables)) }, feed.isFollowing ? 'Stop following' : 'Follow'),
  ]
}

async function refresh(): Promise<void> {
  if (isReading) return
  isReading = true
  try {
    state = await readState()
    byId('updated').textContent = `As of ${clock(Date.now())}`
    byId('updated').className = 'quiet'
    draw()
  } catch (error) {
    byId('updated').textContent = `Not current: ${error instanceof Error ? error.message : ''}`
    byId('updated').className = 'bad'
    if (state === undefined) say('The handler does not answer.', 'bad')
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
setInterval(() => { if (!document.hidden) void refresh() }, REFRESH_MS)
void refresh()
