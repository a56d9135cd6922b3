export type Child = Node | string | undefined | readonly Child[]

type Attribute = string | number | boolean | undefined | (() => void)

type Attributes = Readonly<Record<string, Attribute>>

/** An element. What comes from a database is only ever text. */
export function h<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, attributes: Attributes = {}, ...children: readonly Child[]): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  fill(element, attributes, children)
  return element
}

export function svg(tag: string, attributes: Attributes = {}, ...children: readonly Child[]): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag)
  fill(element, attributes, children)
  return element
}

function fill(element: Element, attributes: Attributes, children: readonly Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value))
  }
  element.append(...flat(children))
}

function flat(children: readonly Child[]): readonly (Node | string)[] {
  return children.flatMap((child): readonly (Node | string)[] => {
    if (child === undefined) return []
    return typeof child === 'string' || child instanceof Node ? [child] : flat(child)
  })
}

export function byId(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`The page has no #${id}.`)
  return element
}

/** Puts new content in the place of old, and the focus and the scroll position back to where they were: elements that can have them have ids. */
export function update(place: Element, ...children: readonly Child[]): void {
  const focused = place.contains(document.activeElement) ? document.activeElement?.id : undefined
  const top = place.querySelector('.scroll')?.scrollTop ?? 0
  place.replaceChildren(...flat(children))
  const scroll = place.querySelector('.scroll')
  if (scroll !== null) scroll.scrollTop = top
  if (focused !== undefined && focused !== '') document.getElementById(focused)?.focus({ preventScroll: true })
}

export interface Column<Row> {
  readonly title: string
  readonly kind?: 'number' | 'actions' | 'time'
  readonly cell: (row: Row) => Child
}

/** A table that says what it is to who does not see it, and can be scrolled with the keyboard. */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): HTMLElement {
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption, id: `scroll-${caption.toLowerCase().replaceAll(' ', '-')}` },
    h('table', { 'aria-label': caption },
      h('thead', {}, h('tr', {}, columns.map(({ title, kind }) => h('th', { scope: 'col', class: kind }, title)))),
      h('tbody', {}, rows.map((row) => h('tr', {}, columns.map(({ cell, kind }) => h('td', { class: kind }, cell(row))))))))
}

export function pill(text: string, tone: 'good' | 'warn' | 'bad' | undefined): HTMLElement {
  return h('span', { class: `pill ${tone ?? ''}` }, text)
}
