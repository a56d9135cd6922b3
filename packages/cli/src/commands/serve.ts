import type { ArgsDef } from 'citty'
import type { CommandContext, TidemarkCommand } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Faults } from '../faults.ts'
import { CONFIG_FILE, loadConfig } from '../load-config.ts'
import { serve } from '../serve.ts'
import type { ServeConfig } from '../serve-config.ts'
import { outputArgs } from './args.ts'

const args = {
  config: { type: 'string', valueHint: 'file', description: `File that exports the configuration as its default (default ${CONFIG_FILE})` },
  host: { type: 'string', valueHint: 'address', description: 'Address to listen at (default 127.0.0.1: this machine only)' },
  port: { type: 'string', valueHint: 'number', description: 'Port to listen at; 0 for any that is free (default 8080)' },
  ...outputArgs,
} as const satisfies ArgsDef

const DEFAULT_PORT = 8_080

export const serveCommand: TidemarkCommand = {
  name: 'serve',
  description: 'Runs what a configuration file has, with its HTTP API and status page, until it is stopped',
  args,
  run: async (context) => {
    const { flags, faults } = context
    const port = portOption(flags.get('port'), faults)
    faults.throwIfAny()
    const config = await loadConfig(flags.get('config') ?? CONFIG_FILE)
    return port === undefined ? EXIT.usage : run(config, port, context)
  },
}

async function run(config: ServeConfig, port: number, { flags, host, output }: CommandContext): Promise<number> {
  const end = new AbortController()
  const release = host.onInterrupt(() => (end.signal.aborted ? host.exit(EXIT.interrupted) : end.abort()))
  try {
    await serve(config, {
      port,
      host: flags.get('host') ?? '127.0.0.1',
      signal: end.signal,
      onListening: (url) => (flags.has('json') ? output.json({ type: 'listening', url }) : output.say(`Listening at ${url}`)),
      notice: (text) => { if (!flags.has('json')) output.say(text) },
    })
  } finally {
    release()
  }
  return EXIT.interrupted
}

function portOption(text: string | undefined, faults: Faults): number | undefined {
  if (text === undefined) return DEFAULT_PORT
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1
  if (port >= 0 && port <= 65_535) return port
  faults.add('--port', 'Must be a number from 0 to 65535.')
  return undefined
}
