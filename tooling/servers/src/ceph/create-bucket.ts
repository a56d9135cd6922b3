import { randomBytes } from 'node:crypto'
import { AwsClient } from 'aws4fetch'
import type { BucketServerAccess } from '../bucket-server.ts'

/** Makes an empty bucket and gives its name. */
export async function createBucket({ endpoint, accessKeyId, secretAccessKey }: BucketServerAccess): Promise<string> {
  const name = `tidemark-test-${randomBytes(6).toString('hex')}`
  const client = new AwsClient({ accessKeyId, secretAccessKey, service: 's3', region: 'us-east-1', retries: 0 })
  const response = await client.fetch(`${endpoint}/${name}`, { method: 'PUT' })
  if (!response.ok) throw new Error(`The bucket ${name} could not be made: ${response.status} ${await response.text()}`)
  return name
}
