import type { BrokerAddress } from './broker.ts'

// What the global setup hands to the test files.
declare module 'vitest' {
  interface ProvidedContext {
    tidemarkServers: BrokerAddress
  }
}
