import { readFileSync } from 'node:fs'

/** The user that server processes run as. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * An unprivileged user when this process is root, because PostgreSQL and MySQL refuse to run as root; otherwise
 * undefined, which means this process's own user.
 *
 * `nobody` exists on every Linux and macOS; a `postgres` user only where a package made one.
 */
export function serverOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8').split('\n').find((entry) => entry.startsWith('nobody:'))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid === undefined || gid === undefined) throw new Error('This process is root and /etc/passwd has no user `nobody` to run a server as')
  return { uid: Number(uid), gid: Number(gid) }
}
