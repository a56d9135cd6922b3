import * as v from 'valibot'
import { jsonAnswer } from '../answers/json-answer.ts'
import { defineRoute, needed } from '../route.ts'
import { errorShape, wholeNumber } from './shapes.ts'

const peerShape = v.object({
  name: v.string(), address: v.string(),
  phase: v.picklist(['new', 'copying', 'streaming', 'retrying', 'resting']),
  position: v.optional(v.string()), behindMs: v.number(), failures: wholeNumber,
  lastError: v.optional(errorShape), retryAtMs: v.optional(v.number()),
  tables: v.record(v.string(), v.unknown()),
  sent: v.object({ messages: wholeNumber, changes: wholeNumber, rowsCopied: wholeNumber }),
})

export const peersRoute = defineRoute({
  method: 'GET', path: '/peers', scope: 'read', id: 'peers', head: true,
  summary: 'Where this instance\'s writes are sent, and how far each has come',
  answers: { 200: { description: 'All peers.', schema: v.object({ origin: v.string(), state: v.picklist(['stopped', 'running']), peers: v.array(peerShape) }) } },
  handle: ({ context }) => jsonAnswer(needed(context.propagator, 'propagator').status()),
})

export const propagateRoute = defineRoute({
  method: 'POST', path: '/propagate', scope: 'peer', id: 'propagate',
  // A peer's URL may have one that a proxy goes by.
  anyQuery: true,
  summary: 'Takes what another instance sends; see what propagation guarantees',
  answers: { 200: { description: 'How far the sender\'s log is applied.', contentType: 'application/json' } },
  handle: ({ request, context }) => needed(context.receiver, 'receiver')(request),
})
