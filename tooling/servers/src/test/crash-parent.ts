import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { watch } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ServerInfo } from '../server.ts'
import { urlParts } from '../url-parts.ts'

const SCRIPT = fileURLToPath(new URL('start-and-crash.ts', import.meta.url))

/**
 * Starts a server in a process of its own, kills that process without warning and resolves when the server has
 * closed its port and the folder is gone. A server that stays makes the test run into its time limit.
 */
export async function crashParent(engine: 'postgres' | 'mariadb', folderOf: (info: ServerInfo) => Promise<string>): Promise<void> {
  const parent = spawn(process.execPath, ['--conditions=tidemark-source', SCRIPT, engine], { stdio: ['pipe', 'pipe', 'inherit'] })
  const failed = once(parent, 'exit').then(([code]) => Promise.reject(new Error(`The parent ended with ${String(code)} before its server was ready`)))
  const [line] = await Promise.race([once(createInterface(parent.stdout), 'line'), failed])
  failed.catch(() => {})
  // Printed by the script above.
  const info = JSON.parse(String(line)) as ServerInfo
  const folder = await folderOf(info)
  const { host, port } = urlParts(info.baseUrl, 0)
  const session = connect(port, host).on('error', () => {})
  await once(session, 'connect')
  // A reset counts as closed too, which is why this does not go through once(): that rejects on an error.
  const closed = new Promise<void>((resolve) => session.on('close', () => resolve()))
  session.resume()
  const gone = untilGone(folder)
  parent.kill('SIGKILL')
  await Promise.all([closed, gone])
}

async function untilGone(folder: string): Promise<void> {
  for await (const change of watch(dirname(folder))) {
    if (change.filename !== null && !existsSync(folder)) return
  }
}
