/** How a session must be to read what follows as it was written. A role may not bypass policies that it does not own, hence `row_security`. */
export const HEAD: readonly string[] = [
  'SET statement_timeout = 0;',
  'SET lock_timeout = 0;',
  'SET idle_in_transaction_session_timeout = 0;',
  `SET client_encoding = 'UTF8';`,
  'SET standard_conforming_strings = on;',
  `SELECT pg_catalog.set_config('search_path', '', false);`,
  'SET check_function_bodies = false;',
  'SET client_min_messages = warning;',
  'SET row_security = off;',
  `SET DateStyle = 'ISO, YMD';`,
  `SET IntervalStyle = 'iso_8601';`,
  `SET TimeZone = 'UTC';`,
  `SET lc_monetary = 'C';`,
  'SET xmloption = content;',
]
