import type { Subscription } from './change-stream-options.ts'
import type { Subscriber } from './subscriber.ts'

export interface SubscriptionOptions {
  /** Settles when the handler gets no batch any more. */
  readonly loop: Promise<void>
  /** Deletes the checkpoint. */
  readonly forget: () => Promise<void>
}

/** What the application holds of a subscriber with a handler. */
export function subscriptionOf(subscriber: Subscriber, { loop, forget }: SubscriptionOptions): Subscription {
  const done = outcome(subscriber, loop)
  done.catch(() => undefined) // it is also in the events and the status; nobody has to look here
  const unsubscribe: Subscription['unsubscribe'] = async (options = {}) => {
    await subscriber.end()
    if (options.forget === true) await forget()
  }
  return { id: subscriber.id, done, unsubscribe, status: () => subscriber.state, [Symbol.asyncDispose]: () => unsubscribe() }
}

async function outcome(subscriber: Subscriber, loop: Promise<void>): Promise<void> {
  await Promise.race([loop, subscriber.ended])
  if (subscriber.error !== undefined) throw subscriber.outcome
}
