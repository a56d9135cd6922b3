import fc from 'fast-check'

// `SEED=123 npm test -- --lane property` replays a run exactly.
const seed = process.env['SEED'] === undefined ? Date.now() % 2 ** 31 : Number(process.env['SEED'])
fc.configureGlobal({ seed })
process.stdout.write(`fast-check seed ${seed}\n`)
