const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
/** Two digits at a time: half as many look-ups and joins. */
const PAIRS = Array.from({ length: 4_096 }, (_, index) => `${DIGITS[index >> 6] ?? ''}${DIGITS[index & 63] ?? ''}`)

/** RFC 4648 with padding. Written out because hosts do not agree on a function that takes bytes. */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  const whole = bytes.length - bytes.length % 3
  for (let index = 0; index < whole; index += 3) {
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0)
    text += (PAIRS[group >> 12] ?? '') + (PAIRS[group & 4_095] ?? '')
  }
  if (whole === bytes.length) return text
  const rest = ((bytes[whole] ?? 0) << 16) | ((bytes[whole + 1] ?? 0) << 8)
  const digits = (PAIRS[rest >> 12] ?? '') + (PAIRS[rest & 4_095] ?? '')
  return text + digits.slice(0, bytes.length - whole + 1).padEnd(4, '=')
}
