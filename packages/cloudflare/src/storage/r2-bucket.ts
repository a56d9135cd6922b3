/** The subset of an R2 binding that is used. */
export interface R2Bucket {
  head(key: string): Promise<R2Object | null>
  get(key: string, options?: { readonly range?: { readonly offset: number; readonly length?: number } }): Promise<R2ObjectBody | R2Object | null>
  put(key: string, value: Uint8Array, options?: R2WriteOptions & { readonly onlyIf?: { readonly etagDoesNotMatch: string } }): Promise<R2Object | null>
  delete(key: string): Promise<void>
  list(options: { readonly prefix: string; readonly limit: number; readonly cursor?: string }): Promise<{ readonly objects: readonly R2Object[]; readonly truncated: boolean; readonly cursor?: string }>
  createMultipartUpload(key: string, options?: R2WriteOptions): Promise<R2Upload>
  resumeMultipartUpload(key: string, uploadId: string): R2Upload
}

export interface R2WriteOptions {
  readonly httpMetadata?: { readonly contentType?: string }
  readonly customMetadata?: Record<string, string>
}

export interface R2Object {
  readonly key: string
  readonly size: number
  readonly httpEtag: string
  readonly uploaded: Date
  readonly customMetadata?: Record<string, string>
}

export interface R2ObjectBody extends R2Object {
  readonly body: { getReader(): { read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>; cancel(): Promise<void> } }
}

export interface R2Upload {
  readonly uploadId: string
  uploadPart(partNumber: number, value: Uint8Array): Promise<{ readonly partNumber: number; readonly etag: string }>
  complete(parts: readonly { readonly partNumber: number; readonly etag: string }[]): Promise<R2Object>
  abort(): Promise<void>
}
