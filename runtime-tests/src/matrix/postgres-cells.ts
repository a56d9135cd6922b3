/** The same in PostgreSQL. */
export const POSTGRES_CELLS: readonly string[] = [
  'CREATE TABLE cells (id bigint PRIMARY KEY, label text, amount numeric(30, 10), made timestamptz, bytes bytea, ratio double precision, tags text[])',
  `INSERT INTO cells VALUES (1, 'é😀', 12345678901234567890.0123456789, '2024-01-02 03:04:05.000001+00', '\\x00ff', 0.1, ARRAY['a', 'b"c']),
    (2, NULL, NULL, 'infinity', NULL, '-Infinity', NULL), (9007199254740993, '', -0.0000000001, '1969-12-31 23:59:59.999999+00', '\\x', 1, '{}')`,
]
