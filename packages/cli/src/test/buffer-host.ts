import type { Host } from '../host.ts'

export interface BufferHost extends Host {
  readonly written: { stdout: string; stderr: string }
}

/** A host without a process: what is written is kept, and nobody interrupts. */
export function bufferHost(args: readonly string[], environment: Readonly<Record<string, string>> = {}): BufferHost {
  const written = { stdout: '', stderr: '' }
  return {
    args,
    environment,
    written,
    stdout: {
      write: (text, callback) => {
        written.stdout += text
        callback?.()
      },
    },
    stderr: { write: (text) => { written.stderr += text } },
    onInterrupt: () => () => undefined,
    onOutputClosed: () => () => undefined,
    exit: () => undefined,
  }
}
