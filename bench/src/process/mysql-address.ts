/** Options of a MySQL client that lead to a database's server; the password goes by the environment. */
export function mysqlAddress(url: string): readonly string[] {
  const { hostname, port, username } = new URL(url)
  return ['--no-defaults', `--host=${hostname}`, `--port=${port === '' ? '3306' : port}`, `--user=${decodeURIComponent(username)}`, '--protocol=tcp']
}
