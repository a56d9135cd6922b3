/** What must work in every runtime, in the order in which it is told. */
export const CAPABILITIES = ['import', 'replicate', 'stream', 'export', 'restore', 'propagate', 'serve'] as const

export type Capability = (typeof CAPABILITIES)[number]
