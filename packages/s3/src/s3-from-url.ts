import { TidemarkError, type ObjectStorage } from '@tidemark/core/adapter'
import type { S3StorageOptions } from './s3-options.ts'
import { s3Storage } from './s3-storage.ts'

export type S3Environment = Readonly<Record<string, string | undefined>>

/**
 * `s3://bucket/prefix`, with what the AWS tools take from the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` or
 * `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`. The environment is given, not looked for.
 *
 * Errors: `CONFIG_INVALID`; `SECRET_MISSING` without credentials.
 */
export function s3FromUrl(url: string, environment: S3Environment, options: Partial<S3StorageOptions> = {}): ObjectStorage {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/?#]+)(?:\/([^?#]*?))?\/?$/.exec(url) ?? []
  if (bucket === undefined) throw new TidemarkError('CONFIG_INVALID', 'The address of a bucket must be s3://bucket/prefix.', { issues: [{ path: 'url', message: 'Must be s3://bucket or s3://bucket/prefix.' }] })
  const value = (...names: readonly string[]): string | undefined => valueOf(environment, names)
  return s3Storage({
    bucket, prefix,
    endpoint: value('AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'),
    region: value('AWS_REGION', 'AWS_DEFAULT_REGION'),
    accessKeyId: required(environment, 'AWS_ACCESS_KEY_ID'),
    secretAccessKey: required(environment, 'AWS_SECRET_ACCESS_KEY'),
    sessionToken: value('AWS_SESSION_TOKEN'),
    ...options,
  })
}

function required(environment: S3Environment, name: string): string {
  const value = valueOf(environment, [name])
  if (value === undefined) throw new TidemarkError('SECRET_MISSING', `${name} is not set.`)
  return value
}

/** The first that is set; one that is empty is not, as the AWS tools have it. */
function valueOf(environment: S3Environment, names: readonly string[]): string | undefined {
  return names.map((name) => environment[name]).find((value) => value !== undefined && value !== '')
}
