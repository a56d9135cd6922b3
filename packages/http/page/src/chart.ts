import { h, svg, type Child } from './dom.ts'
import { clock, moment } from './format.ts'

export interface Window {
  readonly fromMs: number
  readonly toMs: number
}

export interface Point {
  readonly atMs: number
  readonly value: number
}

export interface ChartOptions {
  readonly window: Window
  /** In pixels, so that text has its size on every screen. */
  readonly width: number
  /** Of a value, in words. */
  readonly format: (value: number) => string
}

const HEIGHT = 180
const LEFT = 56
const BOTTOM = 22
const TOP = 10
const COLOURS = 5
const DAY_MS = 86_400_000

/** What a scale of time may end at: its half is a round time, too. */
const DURATIONS: readonly number[] = [100, 200, 500, 1_000, 2_000, 4_000, 10_000, 20_000, 60_000, 120_000, 240_000, 600_000, 900_000, 1_200_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 43_200_000, DAY_MS, 2 * DAY_MS, 4 * DAY_MS, 7 * DAY_MS, 14 * DAY_MS, 30 * DAY_MS]

interface Scale {
  readonly x: (atMs: number) => number
  readonly y: (value: number) => number
  readonly top: number
}

/** A line of milliseconds for each series. What it shows is said in words, too. */
export function lineChart(label: string, series: ReadonlyMap<string, readonly Point[]>, options: ChartOptions): HTMLElement {
  const { format } = options
  const shown = [...series].slice(0, COLOURS)
  const highest = Math.max(1, ...shown.flatMap(([, points]) => points.map(({ value }) => value)))
  const scale = scaleOf(options, DURATIONS.find((top) => top >= highest) ?? roundUp(highest))
  const lines = shown.map(([, points], index) => svg('polyline', { class: `line series-${index + 1}`, points: points.map(({ atMs, value }) => `${scale.x(atMs).toFixed(1)},${scale.y(value).toFixed(1)}`).join(' ') }))
  const words = shown.map(([name, points]) => `${name}: now ${format(points.at(-1)?.value ?? 0)}`).join('; ')
  return h('div', {},
    frame(`${label}. ${words}`, { scale, options, mark: format }, lines),
    h('ul', { class: 'legend' },
      shown.map(([name, points], index) => h('li', {}, swatch(index), name, ' ', h('b', {}, format(points.at(-1)?.value ?? 0)))),
      series.size === 0 ? h('li', { class: 'quiet' }, 'No sync has succeeded yet.') : undefined,
      series.size > COLOURS ? h('li', { class: 'quiet' }, `and ${series.size - COLOURS} more in the table`) : undefined))
}

export interface Bucket extends Point {
  /** Runs in it that failed. */
  readonly faults: number
}

/** A bar for each stretch of time, with a mark where something failed. */
export function barChart(label: string, buckets: readonly Bucket[], options: ChartOptions & { readonly mark: (value: number) => string; readonly note: string | undefined }): HTMLElement {
  const { format, mark, note, width } = options
  const scale = scaleOf(options, roundUp(Math.max(2, ...buckets.map(({ value }) => value))))
  const step = (width - LEFT) / Math.max(1, buckets.length)
  const bars = buckets.flatMap(({ atMs, value, faults }) => {
    if (value === 0 && faults === 0) return []
    const height = Math.max(value > 0 ? 2 : 0, HEIGHT - BOTTOM - scale.y(value))
    const title = svg('title', {}, `${clock(atMs)}: ${format(value)}${faults > 0 ? `, ${faults} failed` : ''}`)
    const bar = svg('rect', { class: 'bar', x: scale.x(atMs) + 1, y: HEIGHT - BOTTOM - height, width: Math.max(1, step - 2), height, rx: 2 }, title)
    return faults > 0 ? [bar, svg('circle', { class: 'mishap', cx: scale.x(atMs) + step / 2, cy: HEIGHT - BOTTOM - height - 5, r: 3.5 })] : [bar]
  })
  const sum = buckets.reduce((total, { value }) => total + value, 0)
  const faults = buckets.reduce((total, bucket) => total + bucket.faults, 0)
  return h('div', {},
    frame(`${label}. In all ${format(sum)}; ${faults} runs failed`, { scale, options, mark }, bars),
    h('ul', { class: 'legend' },
      h('li', {}, h('b', {}, format(sum)), ' in all'),
      faults > 0 ? h('li', { class: 'bad' }, `● ${faults} ${faults === 1 ? 'run' : 'runs'} failed`) : undefined,
      note === undefined ? undefined : h('li', { class: 'quiet' }, note)))
}

interface Frame {
  readonly scale: Scale
  readonly options: ChartOptions
  readonly mark: (value: number) => string
}

function frame(label: string, { scale, options: { window, width }, mark }: Frame, content: readonly Child[]): SVGElement {
  const { fromMs, toMs } = window
  const isLong = toMs - fromMs > DAY_MS
  const anchors = ['start', 'middle', 'end']
  return svg('svg', { 'class': 'chart', 'viewBox': `0 0 ${width} ${HEIGHT}`, 'role': 'img', 'aria-label': label },
    [0, scale.top / 2, scale.top].map((value) => [
      svg('line', { class: 'grid', x1: LEFT, x2: width, y1: scale.y(value), y2: scale.y(value) }),
      svg('text', { x: LEFT - 8, y: scale.y(value) + 4, 'text-anchor': 'end' }, value === 0 ? '0' : mark(value)),
    ]),
    [fromMs, (fromMs + toMs) / 2, toMs].map((atMs, index) => svg('text', { x: scale.x(atMs), y: HEIGHT - 5, 'text-anchor': anchors[index] }, isLong ? moment(atMs).slice(0, -3) : clock(atMs).slice(0, 5))),
    content)
}

function scaleOf({ window: { fromMs, toMs }, width }: ChartOptions, top: number): Scale {
  return {
    top,
    x: (atMs) => LEFT + ((atMs - fromMs) / (toMs - fromMs)) * (width - LEFT),
    y: (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP),
  }
}

/** To 1, 2 or 5 with noughts, so that the marks can be read. */
function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((step) => step * unit).find((step) => step >= value) ?? value
}

function swatch(index: number): SVGElement {
  return svg('svg', { 'width': 18, 'height': 8, 'aria-hidden': 'true' }, svg('line', { class: `line series-${index + 1}`, x1: 0, x2: 18, y1: 4, y2: 4 }))
}
