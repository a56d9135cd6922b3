const LONGEST = 2_000

/** A value as one line for a failure message. Distinguishes 1 from 1n and NULL from absent. */
export function show(value: unknown): string {
  const text = render(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text
}

function render(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Uint8Array) return `bytes(${Array.from(value.slice(0, 32), (byte) => byte.toString(16).padStart(2, '0')).join('')})`
  if (Array.isArray(value)) return `[${value.map(render).join(', ')}]`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value).map(([name, entry]) => `${name}: ${render(entry)}`).join(', ')} }`
  }
  return Object.is(value, -0) ? '-0' : String(value)
}
