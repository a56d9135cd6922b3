import type { BucketServer } from './bucket-server.ts'
import { createBucket } from './ceph/create-bucket.ts'
import { missingCommands, startLocalCeph } from './ceph/local-ceph.ts'
import { provide } from './provide.ts'
import type { ServerOrigin } from './server.ts'
import { installDebianPackages } from './system/debian-packages.ts'

const URL_VARIABLE = 'TIDEMARK_TEST_CEPH_URL'

export interface StartCephOptions {
  /** Only these ways, in their fixed order. Default: all. */
  readonly origins?: readonly ServerOrigin[] | undefined
}

/**
 * Starts a Ceph with its S3 gateway that no one else uses, or gives the one named in the environment.
 *
 * @throws {ServerUnavailableError} when no way is open, with the ways to open one.
 */
export async function startCeph({ origins }: StartCephOptions = {}): Promise<BucketServer> {
  const ways = [
    { origin: 'environment', open: () => Promise.resolve(fromEnvironment()) },
    { origin: 'machine', open: () => fromMachine('machine') },
    { origin: 'debian', open: async () => (await installDebianPackages('radosgw', 'ceph-mon', 'ceph-osd')) ?? (await fromMachine('debian')) },
  ] as const
  const remedies = [
    `Set ${URL_VARIABLE} to http://key:secret@host:port of a gateway where that key may make buckets.`,
    'Install Ceph so that its commands are in /usr/bin (Debian: apt-get install --no-install-recommends radosgw ceph-mon ceph-osd).',
    'Run as root on Debian: the packages are installed then.',
  ]
  return await provide<BucketServer>(ways, { wanted: 'Ceph', origins, remedies })
}

function fromEnvironment(): BucketServer | string {
  const text = process.env[URL_VARIABLE]
  if (text === undefined || text === '') return `${URL_VARIABLE} is not set`
  const { origin: endpoint, username, password } = new URL(text)
  const access = { endpoint, accessKeyId: decodeURIComponent(username), secretAccessKey: decodeURIComponent(password) }
  return { ...access, version: 'unknown', origin: 'environment', createBucket: () => createBucket(access), [Symbol.asyncDispose]: () => Promise.resolve() }
}

async function fromMachine(origin: ServerOrigin): Promise<BucketServer | string> {
  const missing = missingCommands()
  return missing.length === 0 ? await startLocalCeph(origin) : `there is no ${missing.join(', ')} in /usr/bin`
}
