import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { BucketServer } from '../bucket-server.ts'
import type { ServerOrigin } from '../server.ts'
import { freePort } from '../system/free-port.ts'
import { InstanceFolder } from '../system/instance-folder.ts'
import { LocalInstance, type LocalServerSpec } from '../system/local-instance.ts'
import { runCommand } from '../system/run-command.ts'
import { createBucket } from './create-bucket.ts'
import { CEPH_SCRIPT } from './ceph-script.ts'

const FOLDER = '/usr/bin'
const COMMANDS = ['ceph', 'ceph-authtool', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw', 'radosgw-admin']

/** Of its commands those that this machine lacks. */
export function missingCommands(): readonly string[] {
  return COMMANDS.filter((name) => !existsSync(join(FOLDER, name)))
}

/** A Ceph of our own with its S3 gateway, from binaries on this machine: about 15 s and 400 MB. */
export async function startLocalCeph(origin: ServerOrigin): Promise<BucketServer> {
  const version = /version (\S+)/.exec(await runCommand(join(FOLDER, 'radosgw'), ['--version']))?.[1] ?? 'unknown'
  const [accessKeyId, secretAccessKey] = [randomBytes(10).toString('hex'), randomBytes(20).toString('hex')]
  const folder = await InstanceFolder.create('ceph', 'SIGTERM')
  const env = { ACCESS_KEY: accessKeyId, SECRET_KEY: secretAccessKey, MON_V2_PORT: String(await freePort()), MON_V1_PORT: String(await freePort()) }
  const instance = await LocalInstance.start(localSpec(version, env), folder)
  const access = { endpoint: endpointOf(instance.port), accessKeyId, secretAccessKey }
  return { ...access, version, origin, createBucket: () => createBucket(access), [Symbol.asyncDispose]: () => instance[Symbol.asyncDispose]() }
}

function localSpec(version: string, env: Readonly<Record<string, string>>): LocalServerSpec {
  return {
    name: `Ceph ${version}`,
    command: '/bin/sh',
    args: (port) => ['-c', `HTTP_PORT=${port}\n${CEPH_SCRIPT}`],
    env: { ...env, PATH: `${FOLDER}:/bin:/usr/sbin` },
    stopSignal: 'SIGTERM',
    probe: async (port) => {
      const { ok, status } = await fetch(endpointOf(port))
      if (!ok) throw new Error(`The gateway answers ${status}`)
    },
  }
}

function endpointOf(port: number): string {
  return `http://127.0.0.1:${port}`
}
