import { abortable, makeSecret, sha256Hex, throwIfAborted, TidemarkError, type Secret } from '@tidemark/core/adapter'
import { AwsV4Signer } from 'aws4fetch'
import { encodeKey } from './encode-key.ts'
import { s3Error } from './s3-error.ts'
import type { S3Retry, S3StorageOptions } from './s3-options.ts'
import { elementText } from './xml.ts'

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Within the bucket, prefix included; empty for the bucket itself. */
  readonly key: string
  readonly query?: Readonly<Record<string, string>> | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: Uint8Array | undefined
  readonly signal: AbortSignal | undefined
}

const NOTHING = new Uint8Array(0)
const DEFAULT_RETRY: S3Retry = { attempts: 5, baseMs: 200, maxMs: 20_000 }
const DEFAULT_TIMEOUT_MS = 300_000

/**
 * Signed requests (AWS Signature Version 4), tried again when nothing or a passing error comes back. The body's digest is always part of the signature:
 * the one check of a part that all servers make.
 */
export class S3Client {
  readonly #options: S3StorageOptions
  readonly #base: string
  readonly #region: string
  readonly #retry: S3Retry
  readonly #accessKeyId: Secret
  readonly #secretAccessKey: Secret
  readonly #sessionToken: Secret | undefined

  constructor(options: S3StorageOptions) {
    this.#options = options
    this.#region = options.region ?? 'us-east-1'
    this.#base = baseUrl(options, this.#region)
    this.#retry = { ...DEFAULT_RETRY, ...options.retry }
    this.#accessKeyId = makeSecret(options.accessKeyId, 'accessKeyId')
    this.#secretAccessKey = makeSecret(options.secretAccessKey, 'secretAccessKey')
    this.#sessionToken = options.sessionToken === undefined ? undefined : makeSecret(options.sessionToken, 'sessionToken')
  }

  /** An answer that is one of success, its body unread. Errors: `STORAGE_*`, `OBJECT_UNKNOWN`, `BUCKET_UNKNOWN`, `UPLOAD_*`, `ABORTED`. */
  async send(request: S3Request): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      throwIfAborted(request.signal)
      const outcome = await this.#try(request)
      if (outcome instanceof Response) return outcome
      if (!outcome.error.retryable || attempt >= this.#retry.attempts) throw outcome.error
      await this.#wait(attempt, outcome.retryAfterMs, request.signal)
    }
  }

  /** As `send`, for an answer that is text; one that says success and holds an error is one (S3 API, CompleteMultipartUpload). */
  async sendForText(request: S3Request): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.send(request)
      const text = await textOf(response, request.signal)
      const code = /<Error[\s>]/.test(text) ? elementText(text, 'Code') : undefined
      if (code === undefined) return text
      const error = s3Error(response.status, code)
      if (!error.retryable || attempt >= this.#retry.attempts) throw error
      await this.#wait(attempt, undefined, request.signal)
    }
  }

  /** A URL that needs no credentials for as long as it says. */
  async presign(key: string, query: Readonly<Record<string, string>>): Promise<string> {
    const url = this.#url({ key, query })
    const { url: signed } = await new AwsV4Signer({ ...await this.#credentials(), method: 'GET', url, signQuery: true }).sign()
    return signed.href
  }

  async #try(request: S3Request): Promise<Response | Failure> {
    const { method, body, signal } = request
    const [{ url, headers }, timeout] = [await this.#sign(request), AbortSignal.timeout(this.#options.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS)]
    const send = this.#options.fetch ?? fetch
    try {
      const response = await send(url.href, { method, headers, redirect: 'manual', signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]), ...(body === undefined ? {} : { body: new Uint8Array(body) }) })
      return response.ok ? response : await this.#failure(response, method)
    } catch (error) {
      throwIfAborted(signal)
      // A network error's message names hosts and sockets; its class is enough.
      return { error: new TidemarkError('STORAGE_UNREACHABLE', 'The storage could not be reached, or did not answer in time.', { detail: error instanceof Error ? error.name : typeof error }), retryAfterMs: undefined }
    }
  }

  async #failure(response: Response, method: S3Request['method']): Promise<Failure> {
    const text = method === 'HEAD' ? '' : await response.text().catch(() => '')
    const retryAfterSeconds = Number(response.headers.get('retry-after') ?? Number.NaN)
    return { error: s3Error(response.status, elementText(text, 'Code')), retryAfterMs: Number.isFinite(retryAfterSeconds) ? retryAfterSeconds * 1_000 : undefined }
  }

  async #sign({ method, key, query, headers = {}, body = NOTHING }: S3Request): Promise<{ readonly url: URL; readonly headers: Headers }> {
    const signer = new AwsV4Signer({
      ...await this.#credentials(), method, url: this.#url({ key, query }), headers: { ...headers, 'x-amz-content-sha256': await sha256Hex(body) },
    })
    return signer.sign()
  }

  async #credentials(): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string; readonly service: string; readonly region: string }> {
    const [accessKeyId, secretAccessKey, sessionToken] = await Promise.all([this.#accessKeyId.reveal(), this.#secretAccessKey.reveal(), this.#sessionToken?.reveal()])
    return { accessKeyId, secretAccessKey, service: 's3', region: this.#region, ...(sessionToken === undefined ? {} : { sessionToken }) }
  }

  #url({ key, query = {} }: Pick<S3Request, 'key' | 'query'>): string {
    const search = Object.entries(query).map(([name, value]) => `${name}=${encodeKey(value).replaceAll('/', '%2F')}`).join('&')
    return `${this.#base}/${encodeKey(key)}${search === '' ? '' : `?${search}`}`
  }

  #wait(attempt: number, retryAfterMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    const { baseMs, maxMs } = this.#retry
    const ms = Math.min(maxMs, retryAfterMs ?? Math.random() * baseMs * 2 ** (attempt - 1))
    return abortable(new Promise((resolve) => void setTimeout(resolve, ms)), signal)
  }
}

interface Failure {
  readonly error: TidemarkError
  readonly retryAfterMs: number | undefined
}

function baseUrl({ endpoint, bucket, pathStyle }: S3StorageOptions, region: string): string {
  const url = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`)
  const path = url.pathname.replace(/\/$/, '')
  return pathStyle ?? endpoint !== undefined ? `${url.origin}${path}/${encodeKey(bucket)}` : `${url.protocol}//${bucket}.${url.host}${path}`
}

async function textOf(response: Response, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await response.text()
  } catch {
    throwIfAborted(signal)
    throw new TidemarkError('STORAGE_UNREACHABLE', 'The storage\'s answer was cut off.')
  }
}
