import { h, type Child } from './dom.ts'

export interface Column<Row> {
  readonly title: string
  readonly kind?: 'number' | 'actions' | 'time' | 'main'
  readonly cell: (row: Row) => Child
}

/** Content of a cell that has none; a card leaves it out. */
export const NONE = '–'

export interface TableOptions<Row> {
  /** Of a row, unique in the page: it is known by it when the table is drawn anew. */
  readonly key: (row: Row) => string
}

/** A table that says what it is to who does not see it, scrolls by itself, and on a small screen is a card a row: its roles are named since the style takes them away. */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[], { key }: TableOptions<Row>): HTMLElement {
  const id = caption.toLowerCase().replaceAll(' ', '-')
  return h('div', { class: 'scroll', role: 'group', 'aria-label': caption, id: `${id}-scroll` },
    h('table', { 'aria-label': caption, role: 'table', class: id },
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns.map(({ title, kind }) => h('th', { scope: 'col', role: 'columnheader', class: kind }, title)))),
      h('tbody', { role: 'rowgroup' }, rows.map((row) => h('tr', { role: 'row', id: `${id}:${key(row)}` }, columns.map((column, index) => cellOf(column, row, index)))))))
}

function cellOf<Row>({ title, kind, cell }: Column<Row>, row: Row, index: number): HTMLElement {
  const content = cell(row)
  const type = `${kind ?? ''}${content === NONE ? ' none' : ''}`
  return index === 0
    ? h('th', { 'scope': 'row', 'role': 'rowheader', 'class': type, 'data-title': title }, h('div', { class: 'cell' }, content))
    : h('td', { 'role': 'cell', 'class': type, 'data-title': title }, h('div', { class: 'cell' }, content))
}
