/** A table whose columns have each affinity and hold each storage class that it lets in. */
export const ALL_CLASSES = `
CREATE TABLE cells (id INTEGER PRIMARY KEY, none, blob BLOB, int INT, bool BOOLEAN, at DATETIME, amount DECIMAL(10,2), real DOUBLE, name VARCHAR(10),
  twice INTEGER GENERATED ALWAYS AS (id * 2) VIRTUAL, kept TEXT AS (name || '!') STORED, UNIQUE (name));
INSERT INTO cells VALUES
  (1, 1, 1, 1, 1, '2024-01-02 03:04:05', 1.25, 1, 'a'),
  (2, 1.0, 1.0, 1.0, 0, 1704164645, 1, 0.1, ''),
  (3, 'text', 'text', 'text', 'yes', 2460311.5, '12345678901234567890', 1e300, 'x' || char(0) || 'y'),
  (4, x'00ff', x'', x'01', 2.5, x'0a', 'n/a', 'not a number', char(0xfffd)),
  (5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (-6, 9223372036854775807, -9223372036854775808, 9223372036854775807, 9007199254740993, '007', '1e5', -0.0, 'é😀'),
  (9007199254740993, '1', '1.0', '1', 'true', '', ' 5 ', 5e-324, '1.0');`
