import { startMysql, startPostgres } from '../index.ts'

// Run by a test in a process of its own, which it kills: announces the server and then waits for its end.
const server = process.argv[2] === 'postgres' ? await startPostgres({ restartable: true, origins: ['machine', 'npm'] }) : await startMysql({ restartable: true })
process.stdout.write(`${JSON.stringify(server.info)}\n`)
process.stdin.resume()
