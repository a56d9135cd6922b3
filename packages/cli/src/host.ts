import { EXIT } from './exit-code.ts'
import type { OutputStream } from './output.ts'
import type { Environment } from './url.ts'

/** What a command needs of its process. */
export interface Host {
  readonly args: readonly string[]
  readonly environment: Environment
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  /** stderr where it is a terminal: progress bars draw there. */
  readonly terminal?: NodeJS.WritableStream | undefined
  /** Calls back for every SIGINT and SIGTERM, until the returned function is called. */
  onInterrupt(listener: () => void): () => void
  /** Calls back when nobody reads stdout any more, until the returned function is called. While nobody listens, the process ends then. */
  onOutputClosed(listener: () => void): () => void
  /** Ends the process at once. */
  exit(code: number): void
}

/** The process this runs in. */
export function processHost(): Host {
  const closed = new Set<() => void>()
  process.stdout.on('error', () => {
    // A reader that has gone, such as `head`, is no fault of ours; what is committed stays.
    if (closed.size === 0) process.exit(EXIT.interrupted)
    for (const listener of closed) listener()
  })
  return {
    args: process.argv.slice(2),
    environment: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    terminal: process.stderr.isTTY ? process.stderr : undefined,
    onInterrupt: (listener) => {
      process.on('SIGINT', listener)
      process.on('SIGTERM', listener)
      return () => {
        process.off('SIGINT', listener)
        process.off('SIGTERM', listener)
      }
    },
    onOutputClosed: (listener) => {
      closed.add(listener)
      return () => closed.delete(listener)
    },
    exit: (code) => process.exit(code),
  }
}
