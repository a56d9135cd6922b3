import { listen, type Handler } from './handlers.ts'
import { morph } from './morph.ts'

export type Child = Node | string | undefined | readonly Child[]

type Attribute = string | number | boolean | undefined | Handler

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
    if (typeof value === 'function') listen(element, name, value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value))
  }
  element.append(...flat(children))
}

function flat(children: readonly Child[]): readonly (Node | string)[] {
  return children.flatMap((child): readonly (Node | string)[] => {
    if (child === undefined || child === '') return []
    return typeof child === 'string' || child instanceof Node ? [child] : flat(child)
  })
}

export function byId(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`The page has no #${id}.`)
  return element
}

/** Gives a place new content. What stays the same stays the same element; when the one with the focus goes, its section gets it. */
export function update(place: Element, ...children: readonly Child[]): void {
  const focused = document.activeElement
  morph(place, flat(children))
  if (focused !== null && !focused.isConnected) place.closest('section')?.focus({ preventScroll: true })
  for (const scroll of place.querySelectorAll('.scroll')) {
    // What can be scrolled must be reached with the keyboard; what can't would only be in the way.
    if (scroll.scrollHeight > scroll.clientHeight || scroll.scrollWidth > scroll.clientWidth) scroll.setAttribute('tabindex', '0')
    else scroll.removeAttribute('tabindex')
  }
}

export function pill(text: string, tone: 'good' | 'warn' | 'bad' | 'busy' | undefined): HTMLElement {
  return h('span', { class: `pill ${tone ?? ''}` }, text)
}

export function empty(text: string): HTMLElement {
  return h('p', { class: 'empty' }, text)
}

/** Of a field, by an event's `currentTarget`: the element that is in the page, which need not be the one that was made last. */
export function valueOf(field: EventTarget | null): string {
  return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field.value : ''
}
