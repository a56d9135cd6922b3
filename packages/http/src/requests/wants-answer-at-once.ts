/** Whether the client would rather come back than wait, by RFC 7240. */
export function wantsAnswerAtOnce(request: Request): boolean {
  return /\brespond-async\b/.test(request.headers.get('prefer') ?? '')
}
