import { watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/**
 * Calls the listener when the file or its write-ahead log changes. Where the system can't watch, nothing is called and polling has to
 * do. Keeps no process alive.
 */
export function watchDatabase(path: string, listener: () => void): () => void {
  const file = basename(path)
  try {
    // The folder, because a write-ahead log comes and goes.
    const watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
      if (name === file || name === `${file}-wal`) listener()
    })
    watcher.on('error', () => watcher.close())
    return () => watcher.close()
  } catch {
    return () => undefined
  }
}
