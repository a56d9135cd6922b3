import { readdirSync, readFileSync } from 'node:fs'
import { platform } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { runCommand } from './run-command.ts'

interface ProcessRow {
  readonly pid: number
  readonly parent: number
  readonly isZombie: boolean
}

/** Kills a process and all its descendants the way a crash of the machine would: none gets to say goodbye. */
export async function killTree(root: number): Promise<void> {
  // Stopped first, so that it can't fork between the listing and the kill.
  signal(root, 'SIGSTOP')
  const tree = descendants(await listProcesses(), root)
  for (const pid of tree) signal(pid, 'SIGKILL')
  await waitForEnd(new Set(tree))
}

/** Orphans are reaped by another process, at its leisure, so a zombie counts as ended. */
async function waitForEnd(pids: ReadonlySet<number>): Promise<void> {
  for (let delayMs = 2; ; delayMs = Math.min(delayMs * 2, 100)) {
    const rows = await listProcesses()
    if (!rows.some((row) => pids.has(row.pid) && !row.isZombie)) return
    await sleep(delayMs)
  }
}

function descendants(rows: readonly ProcessRow[], root: number): number[] {
  const children = rows.filter((row) => row.parent === root)
  return [root, ...children.flatMap((row) => descendants(rows, row.pid))]
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // Ended already.
  }
}

async function listProcesses(): Promise<ProcessRow[]> {
  return platform === 'linux' ? listFromProc() : await listFromPs()
}

function listFromProc(): ProcessRow[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      // The second field is the command in parentheses and may hold anything; what follows the last one is regular.
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return [{ pid: Number(name), parent: Number(parent), isZombie: state === 'Z' }]
    } catch {
      return []
    }
  })
}

async function listFromPs(): Promise<ProcessRow[]> {
  const output = await runCommand('ps', ['-A', '-o', 'pid=,ppid=,state='])
  return output.trim().split('\n').map((line) => {
    const [pid, parent, state] = line.trim().split(/\s+/)
    return { pid: Number(pid), parent: Number(parent), isZombie: state?.startsWith('Z') === true }
  })
}
