/** A client's settings by environment: a command line is open to every user of the machine, a password included. */
export function psqlEnv(url: string): Readonly<Record<string, string>> {
  const { hostname, port, username, password, pathname } = new URL(url)
  return {
    PGHOST: hostname, PGPORT: port === '' ? '5432' : port, PGDATABASE: pathname.slice(1),
    PGUSER: decodeURIComponent(username), PGPASSWORD: decodeURIComponent(password),
  }
}

/** Likewise; the client takes only the password from its environment. */
export function mysqlEnv(url: string): Readonly<Record<string, string>> {
  return { MYSQL_PWD: decodeURIComponent(new URL(url).password) }
}
