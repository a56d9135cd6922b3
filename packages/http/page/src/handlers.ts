export type Handler = (event: Event) => void

const handlers = new WeakMap<EventTarget, Map<string, Handler>>()

/** One for each kind of event; a later one takes the earlier one's place. */
export function listen(element: Element, name: string, handler: Handler): void {
  const all = handlers.get(element) ?? new Map<string, Handler>()
  handlers.set(element, all.set(name, handler))
  element.addEventListener(name, dispatch)
}

/** An element that stays gets the handlers of the one that was made in its place: what was made last knows how things stand now. */
export function takeHandlers(kept: Element, made: Element): void {
  const all = handlers.get(made)
  if (all === undefined) return void handlers.delete(kept)
  handlers.set(kept, all)
  for (const name of all.keys()) kept.addEventListener(name, dispatch)
}

function dispatch(event: Event): void {
  if (event.currentTarget !== null) handlers.get(event.currentTarget)?.get(event.type)?.(event)
}
