/** SQL whose rows tell every cell exactly, also after they went through JSON: its class, its digits or bytes, and a double as itself. */
export function exactRows(table: string, columns: readonly string[]): string {
  const cells = columns.map((column, index) => `typeof("${column}") AS t${index}, CASE typeof("${column}") WHEN 'real' THEN "${column}" ELSE hex(CAST("${column}" AS BLOB)) END AS v${index}, "${column}" > 1e308 AS i${index}`)
  return `SELECT ${cells.join(', ')} FROM "${table}" ORDER BY "${columns[0]}"`
}
