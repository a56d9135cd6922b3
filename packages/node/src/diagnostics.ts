// Channels of node:diagnostics_channel: only who imports this pays for it.
export { publishDiagnostics, type DiagnosticOperation } from './diagnostics/publish-diagnostics.ts'
