import { statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'

const WORLD_EXECUTE = 0o001

/**
 * The folder for instances and unpacked binaries: `os.tmpdir()`, unless this process is root and a parent folder of
 * that (a private TMPDIR below /root, say) bars the unprivileged user that the server runs as.
 */
export function tempRoot(): string {
  const preferred = tmpdir()
  if (process.getuid?.() !== 0) return preferred
  return isOpenToAll(preferred) ? preferred : '/tmp'
}

function isOpenToAll(folder: string): boolean {
  if ((statSync(folder).mode & WORLD_EXECUTE) === 0) return false
  const parent = dirname(folder)
  return parent === folder || isOpenToAll(parent)
}
