import type { ErrorReport } from './answers.ts'
import { h, type Child } from './dom.ts'

/** What went wrong, and the way out. */
export function errorBlock({ code, message, remedy }: ErrorReport): Child {
  return h('div', { class: 'fault' },
    h('code', { class: 'bad' }, code),
    message === '' ? undefined : h('p', {}, message),
    remedy === '' ? undefined : h('p', {}, h('strong', {}, 'Way out: '), remedy))
}

/** The same, for a list of many: the code, and the rest when it is opened. */
export function errorDetails({ code, message, remedy }: ErrorReport): Child {
  return h('details', { class: 'fault' },
    h('summary', {}, h('code', { class: 'bad' }, code)),
    h('p', {}, message),
    remedy === '' ? undefined : h('p', {}, h('strong', {}, 'Way out: '), remedy))
}
