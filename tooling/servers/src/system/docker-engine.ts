import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { homedir } from 'node:os'
import { join } from 'node:path'

const PING_TIMEOUT_MS = 1000

/**
 * Undefined when a Docker engine answers, else one sentence that says why not. Costs a look at the file system where
 * there is no engine: nothing is imported and nothing waits.
 */
export async function whyNoDocker(): Promise<string | undefined> {
  const address = engineAddress()
  if (address === undefined) return 'no Docker engine socket found'
  return (await answers(address)) ? undefined : 'the Docker engine does not answer'
}

type EngineAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number }

function engineAddress(): EngineAddress | undefined {
  const configured = process.env['DOCKER_HOST']
  if (configured !== undefined && configured !== '') return parseAddress(configured)
  const sockets = ['/var/run/docker.sock', join(homedir(), '.docker/run/docker.sock'), join(homedir(), '.docker/desktop/docker.sock')]
  const socketPath = sockets.find((path) => existsSync(path))
  return socketPath === undefined ? undefined : { socketPath }
}

function parseAddress(configured: string): EngineAddress | undefined {
  const url = URL.canParse(configured) ? new URL(configured) : undefined
  if (url?.protocol === 'unix:') return { socketPath: url.pathname }
  if (url?.protocol === 'tcp:' || url?.protocol === 'http:') return { host: url.hostname, port: Number(url.port) }
  return undefined
}

async function answers(address: EngineAddress): Promise<boolean> {
  return await new Promise((resolve) => {
    const ping = request({ ...address, path: '/_ping', timeout: PING_TIMEOUT_MS }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    ping.on('timeout', () => ping.destroy())
    ping.on('error', () => resolve(false))
    ping.end()
  })
}
