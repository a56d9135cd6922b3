import { h, svg, type Child } from './dom.ts'
import { clock } from './format.ts'

export interface Window {
  readonly fromMs: number
  readonly toMs: number
}

export interface Point {
  readonly atMs: number
  readonly value: number
}

const WIDTH = 560
const HEIGHT = 170
const LEFT = 68
const BOTTOM = 22
const TOP = 8
const COLOURS = 5

interface Scale {
  readonly x: (atMs: number) => number
  readonly y: (value: number) => number
  readonly top: number
}

/** A line for each series. What it shows is said in words, too. */
export function lineChart(label: string, series: ReadonlyMap<string, readonly Point[]>, options: { readonly window: Window; readonly format: (value: number) => string }): HTMLElement {
  const { window, format } = options
  const shown = [...series].slice(0, COLOURS)
  const scale = scaleOf(window, shown.flatMap(([, points]) => points.map(({ value }) => value)))
  const lines = shown.map(([, points], index) => svg('polyline', { class: `line series-${index + 1}`, points: points.map(({ atMs, value }) => `${scale.x(atMs).toFixed(1)},${scale.y(value).toFixed(1)}`).join(' ') }))
  const words = shown.map(([name, points]) => `${name}: now ${format(points.at(-1)?.value ?? 0)}`).join('; ')
  return h('div', {},
    frame(`${label}. ${words}`, { scale, window, format }, lines),
    h('ul', { class: 'legend' },
      shown.map(([name, points], index) => h('li', {}, swatch(index), `${name}: ${format(points.at(-1)?.value ?? 0)}`)),
      series.size > COLOURS ? h('li', { class: 'quiet' }, `and ${series.size - COLOURS} more in the table`) : undefined))
}

export interface Bucket extends Point {
  /** Runs in it that failed. */
  readonly faults: number
}

/** A bar for each stretch of time, with a mark where something failed. */
export function barChart(label: string, buckets: readonly Bucket[], options: { readonly window: Window; readonly format: (value: number) => string }): HTMLElement {
  const { window, format } = options
  const scale = scaleOf(window, buckets.map(({ value }) => value))
  const width = (WIDTH - LEFT) / Math.max(1, buckets.length)
  const bars = buckets.flatMap(({ atMs, value, faults }) => {
    const height = Math.max(value > 0 ? 1 : 0, HEIGHT - BOTTOM - scale.y(value))
    const title = svg('title', {}, `${clock(atMs)}: ${format(value)}${faults > 0 ? `, ${faults} failed` : ''}`)
    const bar = svg('rect', { class: 'bar', x: scale.x(atMs) + 1, y: HEIGHT - BOTTOM - height, width: Math.max(1, width - 2), height, rx: 1 }, title)
    return faults > 0 ? [bar, svg('circle', { class: 'fault', cx: scale.x(atMs) + width / 2, cy: TOP + 4, r: 3.5 })] : [bar]
  })
  const sum = buckets.reduce((total, { value }) => total + value, 0)
  const faults = buckets.reduce((total, bucket) => total + bucket.faults, 0)
  return h('div', {},
    frame(`${label}. In all ${format(sum)}; ${faults} runs failed`, { scale, window, format }, bars),
    h('ul', { class: 'legend' }, h('li', {}, `${format(sum)} in all`), faults > 0 ? h('li', { class: 'bad' }, `● ${faults} failed`) : undefined))
}

function frame(label: string, { scale, window, format }: { readonly scale: Scale; readonly window: Window; readonly format: (value: number) => string }, content: readonly Child[]): SVGElement {
  const marks = [0, scale.top / 2, scale.top]
  const times = [window.fromMs, (window.fromMs + window.toMs) / 2, window.toMs]
  const anchors = ['start', 'middle', 'end']
  return svg('svg', { 'class': 'chart', 'viewBox': `0 0 ${WIDTH} ${HEIGHT}`, 'role': 'img', 'aria-label': label },
    marks.map((value) => [
      svg('line', { class: 'grid', x1: LEFT, x2: WIDTH, y1: scale.y(value), y2: scale.y(value) }),
      svg('text', { x: LEFT - 6, y: scale.y(value) + 4, 'text-anchor': 'end' }, format(value)),
    ]),
    times.map((atMs, index) => svg('text', { x: scale.x(atMs), y: HEIGHT - 6, 'text-anchor': anchors[index] }, clock(atMs).slice(0, 5))),
    content)
}

function scaleOf({ fromMs, toMs }: Window, values: readonly number[]): Scale {
  const top = roundUp(Math.max(1, ...values))
  return {
    top,
    x: (atMs) => LEFT + ((atMs - fromMs) / (toMs - fromMs)) * (WIDTH - LEFT),
    y: (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP),
  }
}

/** To 1, 2 or 5 with noughts, so that the marks can be read. */
function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((step) => step * unit).find((step) => step >= value) ?? value
}

function swatch(index: number): SVGElement {
  return svg('svg', { 'width': 18, 'height': 8, 'aria-hidden': 'true' }, svg('line', { class: `line series-${index + 1}`, x1: 0, x2: 18, y1: 4, y2: 4, 'stroke-width': 3 }))
}
