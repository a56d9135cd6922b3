import { takeHandlers } from './handlers.ts'

/** What the reader has changed, or `update` has set, is theirs. */
const LEFT_ALONE: ReadonlySet<string> = new Set(['open', 'tabindex'])

/** Makes a place have these children, and keeps each element that it has already: with it stay the focus, a selection, what is open, where it is scrolled to, and a click under way. */
export function morph(place: Element, wanted: readonly (Node | string)[]): void {
  const nodes = wanted.map((node) => (typeof node === 'string' ? document.createTextNode(node) : node))
  const keys = new Set(nodes.map(keyOf))
  for (const child of Array.from(place.childNodes)) if (keyOf(child) !== '' && !keys.has(keyOf(child))) child.remove()
  let at = place.firstChild
  for (const node of nodes) {
    const kept = keptFor(node, at)
    if (kept === undefined) place.insertBefore(node, at)
    else if (kept === at) at = at.nextSibling
    else place.insertBefore(kept, at)
    if (kept !== undefined) become(kept, node)
  }
  while (at !== null) {
    const next = at.nextSibling
    at.remove()
    at = next
  }
}

function keyOf(node: Node): string {
  return node instanceof Element ? node.id : ''
}

function keptFor(node: Node, first: ChildNode | null): ChildNode | undefined {
  const key = keyOf(node)
  if (key === '') return first !== null && first.nodeName === node.nodeName && keyOf(first) === '' ? first : undefined
  for (let at = first; at !== null; at = at.nextSibling) if (keyOf(at) === key && at.nodeName === node.nodeName) return at
  return undefined
}

function become(kept: ChildNode, node: Node): void {
  if (!(kept instanceof Element && node instanceof Element)) {
    if (kept.nodeValue !== node.nodeValue) kept.nodeValue = node.nodeValue
    return
  }
  for (const { name } of Array.from(kept.attributes)) if (!node.hasAttribute(name) && !LEFT_ALONE.has(name)) kept.removeAttribute(name)
  for (const { name, value } of node.attributes) if (kept.getAttribute(name) !== value && !LEFT_ALONE.has(name)) kept.setAttribute(name, value)
  takeHandlers(kept, node)
  morph(kept, [...node.childNodes])
}
