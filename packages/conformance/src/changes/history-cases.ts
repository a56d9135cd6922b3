import { changeCase, type ChangeApplies, type ChangeCase } from './change-case.ts'
import { checkHistory, type HistoryOptions } from './random-history.ts'

/** Few and short: an adapter runs thousands of them with `checkHistory` in a test of its own. */
const SEEDS = [1, 2, 3]
const STEPS = 60

/** Random statements, and a copy that must end like the tables. */
export const historyCases: readonly ChangeCase[] = [
  ...histories('CHG-951', 'in a random history, what is told of transactions is what they did', {}),
  ...histories('CHG-952', 'in a random history with statements that fail and savepoints, what is told is what stays', { fails: true, savepoints: true },
    ({ facts }) => facts.outlivesFailure || 'a transaction ends with a statement that fails'),
  ...histories('CHG-953', 'in a random history of statements that push rows out of the way, none is forgotten',
    { replaces: ['insert', 'update'], fails: true, savepoints: true },
    ({ facts }) => facts.replaces.length === 2 && facts.outlivesFailure || 'not every statement of the engine replaces'),
  ...histories('CHG-954', 'in a random history of a column that takes anything, every storage class is kept', { loose: true },
    ({ facts }) => facts.blobHoldsAny || 'columns take values of their type only'),
]

function histories(id: string, title: string, options: Omit<HistoryOptions, 'seed' | 'steps'>, appliesTo?: ChangeApplies): readonly ChangeCase[] {
  return SEEDS.map((seed) => changeCase(`${id}.seed-${seed}`, title, (harness) => checkHistory(harness, { ...options, seed, steps: STEPS }), appliesTo))
}
