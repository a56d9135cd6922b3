import { RECORDED } from './recorded-messages.ts'

/** What is done to a recorded message: which, where, and what to. All numbers are brought into range. */
export interface Mutation {
  readonly message: number
  readonly kind: 'flip' | 'cut' | 'repeat' | 'insert' | 'length'
  readonly at: number
  readonly value: number
}

export const MUTATION_KINDS = ['flip', 'cut', 'repeat', 'insert', 'length'] as const

/** The recorded stream up to and with the message, which is altered, and what comes behind it. */
export function mutated({ message, kind, at, value }: Mutation, recorded: readonly Buffer[] = RECORDED): { readonly before: readonly Buffer[]; readonly altered: Buffer; readonly behind: readonly Buffer[] } {
  const index = message % recorded.length
  const original = recorded[index] ?? Buffer.alloc(0)
  return { before: recorded.slice(0, index), altered: alter(original, { kind, at: at % original.length, value: value & 0xff }), behind: recorded.slice(index + 1) }
}

function alter(original: Buffer, { kind, at, value }: Omit<Mutation, 'message'>): Buffer {
  const altered = Buffer.from(original)
  switch (kind) {
    case 'flip': altered[at] = value; return altered
    case 'cut': return altered.subarray(0, at)
    case 'repeat': return Buffer.concat([altered, altered.subarray(at)])
    case 'insert': return Buffer.concat([altered.subarray(0, at), Buffer.of(value), altered.subarray(at)])
    case 'length': {
      if (at + 4 <= altered.length) altered.writeInt32BE((value << 24) | value, at)
      return altered
    }
    default: return kind satisfies never
  }
}
