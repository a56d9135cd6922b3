import { TidemarkError, type UnrepresentablePolicy, type Value } from '@tidemark/core/adapter'

/** Applies the policy to a text whose bytes are none. The error names the column, never the value. */
export function brokenText(bytes: Uint8Array, column: string, policy: UnrepresentablePolicy): Value {
  if (policy === 'text') return new TextDecoder().decode(bytes)
  if (policy === 'null') return null
  throw new TidemarkError('VALUE_UNREPRESENTABLE', `The column '${column}' holds a text that is no valid text.`, {
    remedy: 'Give the source `onUnrepresentable: \'text\'` or `\'null\'` and subscribe anew, or mend the value.',
  })
}
