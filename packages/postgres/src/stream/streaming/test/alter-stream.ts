import { mutated, MUTATION_KINDS, type Mutation } from '../../test/mutate-recorded.ts'
import { STREAMED } from './streamed-messages.ts'

/** What is done to one message, or to the order of messages. */
export const STREAM_MUTATION_KINDS = [...MUTATION_KINDS, 'omit', 'twice', 'swap'] as const

export type StreamMutation = Omit<Mutation, 'kind'> & { readonly kind: (typeof STREAM_MUTATION_KINDS)[number] }

/** All of the recorded stream, with one fault in it. */
export function alteredStream(mutation: StreamMutation): readonly Buffer[] {
  const { kind } = mutation
  if (kind !== 'omit' && kind !== 'twice' && kind !== 'swap') {
    const { before, altered, behind } = mutated({ ...mutation, kind }, STREAMED)
    return [...before, altered, ...behind]
  }
  const index = mutation.message % STREAMED.length
  const message = STREAMED[index] ?? Buffer.alloc(0)
  const rest = STREAMED.filter((_, place) => place !== index)
  if (kind === 'omit') return rest
  const place = kind === 'twice' ? index : mutation.at % STREAMED.length
  return kind === 'twice' ? STREAMED.toSpliced(index, 0, message) : rest.toSpliced(place, 0, message)
}
