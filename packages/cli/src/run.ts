import { defineCommand, renderUsage, runCommand, type CommandDef } from 'citty'
import { cittyCommand, type TidemarkCommand } from './command.ts'
import { doctorCommand } from './commands/doctor.ts'
import { exportCommand } from './commands/export.ts'
import { grantsCommand } from './commands/grants.ts'
import { importCommand } from './commands/import.ts'
import { logsCommand } from './commands/logs.ts'
import { planCommand } from './commands/plan.ts'
import { serveCommand } from './commands/serve.ts'
import { statusCommand } from './commands/status.ts'
import { syncCommand } from './commands/sync.ts'
import { tailCommand } from './commands/tail.ts'
import { verifyCommand } from './commands/verify.ts'
import { errorText } from './error-text.ts'
import { EXIT, exitCodeOf } from './exit-code.ts'
import { usageError } from './faults.ts'
import type { Host } from './host.ts'
import { errorLine } from './json-lines.ts'
import { Output } from './output.ts'
import { makeRedact, secretsIn } from './redact.ts'
import { reportOf } from './report-of.ts'
import { version } from './version.ts'

const commands: readonly TidemarkCommand[] = [syncCommand, planCommand, doctorCommand, grantsCommand, statusCommand, logsCommand, tailCommand, exportCommand, importCommand, verifyCommand, serveCommand]

const mainCommand = defineCommand({
  meta: { name: 'tidemark', version, description: 'Keeps tables of PostgreSQL and MySQL copied into SQLite and libSQL, follows the changes of SQLite databases, exports them and loads their dumps, and serves all that over HTTP' },
  subCommands: Object.fromEntries(commands.map((command) => [command.name, cittyCommand(command)])),
})

/** One run of the command line; resolves with the exit code and never rejects. */
export async function run(host: Host): Promise<number> {
  const output = new Output({
    stdout: host.stdout,
    stderr: host.stderr,
    redact: makeRedact(secretsIn([...host.args, ...Object.values(host.environment).flatMap((value) => value ?? [])])),
    hasColor: host.terminal !== undefined && !host.environment['NO_COLOR'] && host.environment['TERM'] !== 'dumb',
  })
  try {
    return await dispatch(host, output)
  } catch (error) {
    const report = reportOf(error)
    if (host.args.includes('--json')) output.json(errorLine(report))
    else output.say(errorText(report))
    return exitCodeOf(report.code)
  }
}

async function dispatch(host: Host, output: Output): Promise<number> {
  const [name, ...rest] = host.args
  const command = commands.find((candidate) => candidate.name === name)
  if (name === '--version' || name === '-v') output.data(version)
  else if (name === '--help' || name === '-h') await showHelp(output, mainCommand)
  else if (name === undefined) throw usageError([{ path: 'command', message: `Is missing. There are: ${names()}.` }])
  else if (command === undefined) throw usageError([{ path: 'command', message: `There is no such command. There are: ${names()}.` }])
  else if (rest.includes('--help') || rest.includes('-h')) await showHelp(output, cittyCommand(command), mainCommand)
  else return exitCodeFrom(await runCommand(cittyCommand(command), { rawArgs: rest, data: { host, output } }))
  return EXIT.ok
}

function exitCodeFrom({ result }: { readonly result: unknown }): number {
  return typeof result === 'number' ? result : EXIT.ok
}

/** Help that was asked for is data: it goes to stdout, where it can be piped. */
async function showHelp(output: Output, command: CommandDef, parent?: CommandDef): Promise<void> {
  output.data(await renderUsage(command, parent))
}

function names(): string {
  return commands.map((command) => command.name).join(', ')
}
