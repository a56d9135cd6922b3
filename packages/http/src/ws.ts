// WebSockets of Node's own HTTP server, by the package `ws`.
export { nodeWebSockets, type NodeRequest, type NodeSocket, type NodeWebSockets } from './sockets/node-web-sockets.ts'
