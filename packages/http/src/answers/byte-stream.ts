import type { ObjectBody } from '@tidemark/core'

/** Bytes as they are asked for. A client that leaves frees the storage's connection. */
export function byteStream(body: ObjectBody): ReadableStream<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await iterator.next()
      if (done === true) {
        await body[Symbol.asyncDispose]()
        controller.close()
      } else {
        controller.enqueue(value)
      }
    },
    cancel: async () => {
      await iterator.return?.()
      await body[Symbol.asyncDispose]()
    },
  }, { highWaterMark: 0 })
}
