// The web globals that core uses, and nothing else: the list is the documented runtime requirement. With `"types": []`
// and no DOM library, `process`, `Buffer` and `node:*` do not type-check in core.

interface AbortSignal {
  readonly aborted: boolean
  readonly reason: unknown
  throwIfAborted(): void
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean; readonly signal?: AbortSignal }): void
  removeEventListener(type: 'abort', listener: () => void): void
}
declare const AbortSignal: {
  abort(reason?: unknown): AbortSignal
  any(signals: Iterable<AbortSignal>): AbortSignal
  timeout(milliseconds: number): AbortSignal
}
interface AbortController {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
}
declare const AbortController: { new (): AbortController }

declare function setTimeout(callback: () => void, delayMs?: number): unknown
declare function clearTimeout(handle: unknown): void
declare function queueMicrotask(callback: () => void): void

interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>
  encodeInto(input: string, target: Uint8Array): { readonly read: number; readonly written: number }
}
declare const TextEncoder: { new (): TextEncoder }
interface TextDecoder {
  decode(input?: Uint8Array, options?: { readonly stream?: boolean }): string
}
declare const TextDecoder: { new (label?: string, options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean }): TextDecoder }

declare const crypto: {
  getRandomValues<T extends Uint8Array>(array: T): T
  randomUUID(): string
  readonly subtle: SubtleCrypto
}

interface CryptoKey {
  readonly type: string
}
interface SubtleCrypto {
  digest(algorithm: 'SHA-256', data: Uint8Array): Promise<ArrayBuffer>
  importKey(format: 'raw', data: Uint8Array, algorithm: string | { readonly name: string; readonly hash?: string }, extractable: boolean, usages: readonly string[]): Promise<CryptoKey>
  sign(algorithm: 'HMAC', key: CryptoKey, data: Uint8Array): Promise<ArrayBuffer>
  deriveBits(algorithm: { readonly name: 'HKDF'; readonly hash: 'SHA-256'; readonly salt: Uint8Array; readonly info: Uint8Array }, key: CryptoKey, bits: number): Promise<ArrayBuffer>
  encrypt(algorithm: AesGcm, key: CryptoKey, data: Uint8Array): Promise<ArrayBuffer>
  decrypt(algorithm: AesGcm, key: CryptoKey, data: Uint8Array): Promise<ArrayBuffer>
}
interface AesGcm {
  readonly name: 'AES-GCM'
  readonly iv: Uint8Array
  readonly additionalData?: Uint8Array
}

interface URL {
  readonly href: string
  readonly origin: string
  readonly protocol: string
  readonly hostname: string
  readonly port: string
  readonly pathname: string
  readonly search: string
  readonly username: string
  readonly password: string
}
declare const URL: { new (url: string): URL }
declare function atob(base64: string): string

interface ByteTransform {
  readonly writable: {
    getWriter(): { readonly ready: Promise<void>; write(chunk: Uint8Array): Promise<void>; close(): Promise<void>; abort(reason?: unknown): Promise<void> }
  }
  readonly readable: {
    getReader(): { read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>; cancel(reason?: unknown): Promise<void> }
  }
}
declare const CompressionStream: { new (format: 'gzip'): ByteTransform }
declare const DecompressionStream: { new (format: 'gzip'): ByteTransform }

interface Request {
  readonly method: string
  readonly headers: { get(name: string): string | null }
  readonly body: { getReader(): { read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>; cancel(reason?: unknown): Promise<void> } } | null
}
interface Response {
  readonly status: number
}
declare const Response: { new (body: string | null, init: { readonly status: number; readonly headers: Readonly<Record<string, string>> }): Response }
