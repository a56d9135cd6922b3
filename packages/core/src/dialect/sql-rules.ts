/** What an engine's SQL looks like, as far as finding the ends of its statements needs to know. Plain data. */
export interface SqlRules {
  /** What opens a quoted stretch, and what ends it. A doubled end stands for itself, which for this is the same as two stretches. One byte each. */
  readonly quotes: Readonly<Record<string, string>>
  /** Whether the semicolons in `CREATE TRIGGER … BEGIN … END` are part of the statement. */
  readonly hasTriggerBodies: boolean
}
