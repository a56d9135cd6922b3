/** PostgreSQL manual, 55.7: length 8, code 80877103. */
export const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47)
const SSL_ACCEPTED = 0x53

/** Exactly one byte: anything behind it came in plaintext and would be taken for the server's (CVE-2021-23222). */
export function isSslAccepted(answer: unknown): boolean {
  return answer instanceof Uint8Array && answer.length === 1 && answer[0] === SSL_ACCEPTED
}
