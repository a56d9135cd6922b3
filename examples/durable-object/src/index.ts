export { PeerObject } from './peer-object.ts'
export { ReplicaObject } from './replica-object.ts'
// A Worker is its module's default export.
export { worker as default } from './worker.ts'
