declare module 'cloudflare:workers' {
  /** What a class of objects extends whose methods can be called from elsewhere. */
  export class DurableObject<Environment = unknown> {
    constructor(context: unknown, environment: Environment)
    protected readonly env: Environment
  }
}
