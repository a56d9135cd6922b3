/** What a handler tells of its requests; made by `requestSpans` of `@tidemark/http/telemetry`. */
export interface HandlerTelemetry {
  /** Every request goes through it, and every answer. */
  during(request: Request, handle: (request: Request) => Promise<Response>): Promise<Response>
  /** A request has come to a route, such as `/data/export/status/:exportId`. */
  routed(request: Request, route: string): void
  /** A request is answered with this error. */
  failed(request: Request, code: string): void
}
