import type { ChangeEvent } from '@tidemark/core/adapter'

/** A row's key as text. */
export function keyText({ key }: ChangeEvent): string {
  return Object.values(key ?? {}).map(String).join(' ')
}
