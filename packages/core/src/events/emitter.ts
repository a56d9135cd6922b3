import { EventEmitter } from 'eventemitter3'

/** Removes the listener it was returned for. Calling it twice is harmless. */
export type Unsubscribe = () => void

type Listener<T> = (payload: T) => unknown

/**
 * Typed events, one readonly payload each. A listener that throws or rejects can't break the loop that
 * emitted: its failure is handed to `onListenerError` and the other listeners still run.
 */
export class Emitter<Events extends object> {
  readonly #emitter = new EventEmitter<string>()
  readonly #onListenerError: (error: unknown, event: string) => void

  constructor(onListenerError: (error: unknown, event: string) => void = () => undefined) {
    this.#onListenerError = onListenerError
  }

  on<Name extends keyof Events & string>(event: Name, listener: Listener<Events[Name]>): Unsubscribe {
    const guarded = (payload: Events[Name]): void => this.#call(event, listener, payload)
    this.#emitter.on(event, guarded)
    return () => void this.#emitter.off(event, guarded)
  }

  emit<Name extends keyof Events & string>(event: Name, payload: Events[Name]): void {
    this.#emitter.emit(event, payload)
  }

  /** Whether anybody listens: what is told often need not be made for nobody. */
  isHeard(event: keyof Events & string): boolean {
    return this.#emitter.listenerCount(event) > 0
  }

  removeAllListeners(): void {
    this.#emitter.removeAllListeners()
  }

  #call<T>(event: string, listener: Listener<T>, payload: T): void {
    try {
      const result = listener(payload)
      if (result instanceof Promise) result.catch((error: unknown) => this.#onListenerError(error, event))
    } catch (error) {
      this.#onListenerError(error, event)
    }
  }
}
