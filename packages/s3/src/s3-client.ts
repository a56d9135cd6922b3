import { makeSecret, sha256Hex, throwIfAborted, TidemarkError, type Secret } from '@tidemark/core/adapter'
import { AwsV4Signer } from 'aws4fetch'
import { AnswerReader } from './answer-reader.ts'
import { encodeKey } from './encode-key.ts'
import { pause } from './pause.ts'
import { retryAfterMs } from './retry-after.ts'
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

/** An answer of success, its bytes unread: read them to the end, or cancel. */
export interface S3Answer {
  readonly status: number
  readonly headers: Headers
  readonly reader: AnswerReader
}

/** A try that failed. */
class Failure {
  readonly error: TidemarkError
  /** What the storage asks for. */
  readonly waitMs: number | undefined

  constructor(error: TidemarkError, waitMs?: number) {
    this.error = error
    this.waitMs = waitMs
  }
}

const NOTHING = new Uint8Array(0)
const DEFAULT_RETRY: S3Retry = { attempts: 5, baseMs: 200, maxMs: 20_000 }
const DEFAULT_TIMEOUT_MS = 300_000

/**
 * Signed requests (AWS Signature Version 4), tried again when nothing or a passing error comes back. The body's digest is always part of the signature:
 * the one check of a part that all servers make.
 */
export class S3Client {
  readonly #base: string
  readonly #region: string
  readonly #retry: S3Retry
  readonly #silenceMs: number
  readonly #fetch: typeof fetch
  readonly #accessKeyId: Secret
  readonly #secretAccessKey: Secret
  readonly #sessionToken: Secret | undefined

  constructor(options: S3StorageOptions) {
    this.#region = options.region ?? 'us-east-1'
    this.#base = baseUrl(options, this.#region)
    this.#retry = { ...DEFAULT_RETRY, ...options.retry }
    this.#silenceMs = options.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS
    // Looked up at each call, and called as a function: Workers refuse their `fetch` as a method.
    this.#fetch = (input, init) => (options.fetch ?? fetch)(input, init)
    this.#accessKeyId = makeSecret(options.accessKeyId, 'accessKeyId')
    this.#secretAccessKey = makeSecret(options.secretAccessKey, 'secretAccessKey')
    this.#sessionToken = options.sessionToken === undefined ? undefined : makeSecret(options.sessionToken, 'sessionToken')
  }

  /** What answers without bytes: its headers. Errors: `STORAGE_*`, `OBJECT_*`, `BUCKET_UNKNOWN`, `UPLOAD_*`, `NOT_SUPPORTED`, `ABORTED`. */
  send(request: S3Request): Promise<Headers> {
    return this.#retrying(request.signal, async () => {
      const answer = await this.#try(request)
      if (answer instanceof Failure) return answer
      // Read to its end, a connection can be used again.
      await answer.reader.text()
      return answer.headers
    })
  }

  /** As `send`, for bytes that are read as they come. */
  open(request: S3Request): Promise<S3Answer> {
    return this.#retrying(request.signal, () => this.#try(request))
  }

  /** As `send`, for text; one that says success and holds an error is an error (S3 API, CompleteMultipartUpload). */
  sendForText(request: S3Request): Promise<string> {
    return this.#retrying(request.signal, async () => {
      const answer = await this.#try(request)
      if (answer instanceof Failure) return answer
      const text = await answer.reader.text()
      const code = /<Error[\s>]/.test(text) ? elementText(text, 'Code') : undefined
      return code === undefined ? text : new Failure(s3Error(answer.status, code))
    })
  }

  /** A URL that needs no credentials for as long as it says. */
  async presign(key: string, query: Readonly<Record<string, string>>): Promise<string> {
    const url = this.#url({ key, query })
    const { url: signed } = await new AwsV4Signer({ ...await this.#credentials(), method: 'GET', url, signQuery: true }).sign()
    return signed.href
  }

  /** Waits until the next try is due; gives up with the error where there is none. */
  async backOff(attempt: number, error: TidemarkError, { waitMs, signal }: { readonly waitMs?: number | undefined; readonly signal: AbortSignal | undefined }): Promise<void> {
    const { attempts, baseMs, maxMs } = this.#retry
    const isPassing = error.code === 'STORAGE_UNREACHABLE' || error.code === 'STORAGE_BUSY'
    if (!isPassing || attempt >= attempts) throw error
    await pause(Math.min(maxMs, waitMs ?? Math.random() * baseMs * 2 ** (attempt - 1)), signal)
  }

  async #retrying<T>(signal: AbortSignal | undefined, work: () => Promise<T | Failure>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      throwIfAborted(signal)
      const outcome = await work().catch(toFailure)
      if (!(outcome instanceof Failure)) return outcome
      await this.backOff(attempt, outcome.error, { waitMs: outcome.waitMs, signal })
    }
  }

  async #try(request: S3Request): Promise<S3Answer | Failure> {
    const { method, body, signal } = request
    const silenceMs = this.#silenceMs
    const { url, headers } = await this.#sign(request)
    // Not signed: proxies change it. What is stored must come back as it is.
    headers.set('accept-encoding', 'identity')
    const end = new AbortController()
    const timer = setTimeout(() => end.abort(), silenceMs)
    try {
      const response = await this.#fetch(url.href, {
        method, headers, redirect: 'manual', signal: signal === undefined ? end.signal : AbortSignal.any([signal, end.signal]), ...(body === undefined ? {} : { body: plain(body) }),
      })
      const reader = new AnswerReader(response, { silenceMs, signal })
      return response.ok ? { status: response.status, headers: response.headers, reader } : await failureOf(response, reader)
    } catch (error) {
      throwIfAborted(signal)
      // A network error's message names hosts and sockets; its class is enough.
      return new Failure(new TidemarkError('STORAGE_UNREACHABLE', 'The storage could not be reached, or did not answer in time.', { detail: error instanceof Error ? error.name : typeof error }))
    } finally {
      clearTimeout(timer)
    }
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
}

function baseUrl({ endpoint, bucket, pathStyle }: S3StorageOptions, region: string): string {
  const url = new URL(endpoint ?? `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`)
  const path = url.pathname.replace(/\/$/, '')
  // A certificate's `*` stands for one label.
  const isInPath = pathStyle ?? (endpoint !== undefined || bucket.includes('.'))
  return isInPath ? `${url.origin}${path}/${encodeKey(bucket)}` : `${url.protocol}//${bucket}.${url.host}${path}`
}

async function failureOf(response: Response, reader: AnswerReader): Promise<Failure> {
  const text = await reader.text().catch(() => '')
  return new Failure(s3Error(response.status, elementText(text, 'Code')), retryAfterMs(response.headers.get('retry-after'), Date.now()))
}

function toFailure(error: unknown): Failure {
  if (error instanceof TidemarkError) return new Failure(error)
  throw error
}

/** Parts are never in shared memory; a copy would be a third one in memory. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer> // Uint8Array is also declared for shared memory, which fetch refuses itself.
}
