-- Databases and roles of the mesh, for psql; run again on every start, so each statement leaves what is already right.
--
-- Two roles for each database: the owner migrates, the other one runs the service. A service that is taken over can then
-- change rows, but not the schema. Passwords come in as variables (native: scripts/mesh/postgres.py; Compose:
-- scripts/mesh/compose-databases.sh).

\set ON_ERROR_STOP on

SELECT format('CREATE ROLE %I LOGIN', name)
FROM (VALUES ('gatehouse_issuer_owner'), ('gatehouse_issuer'), ('gatehouse_demo_owner'), ('gatehouse_demo')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE gatehouse_issuer_owner PASSWORD :'issuer_owner_password';
ALTER ROLE gatehouse_issuer PASSWORD :'issuer_password';
ALTER ROLE gatehouse_demo_owner PASSWORD :'demo_owner_password';
ALTER ROLE gatehouse_demo PASSWORD :'demo_password';

SELECT format('CREATE DATABASE %I OWNER %I', name, name || '_owner')
FROM (VALUES ('gatehouse_issuer'), ('gatehouse_demo')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec

-- By default every role may connect everywhere: bank and payment have no business in the issuer's database.
REVOKE CONNECT, TEMPORARY ON DATABASE gatehouse_issuer, gatehouse_demo FROM PUBLIC;
GRANT CONNECT ON DATABASE gatehouse_issuer TO gatehouse_issuer;
GRANT CONNECT ON DATABASE gatehouse_demo TO gatehouse_demo;

-- What a migration creates later is usable by the running service at once.
\connect gatehouse_issuer
ALTER DEFAULT PRIVILEGES FOR ROLE gatehouse_issuer_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO gatehouse_issuer;
ALTER DEFAULT PRIVILEGES FOR ROLE gatehouse_issuer_owner GRANT USAGE, SELECT ON SEQUENCES TO gatehouse_issuer;
ALTER SCHEMA public OWNER TO gatehouse_issuer_owner;

\connect gatehouse_demo
ALTER DEFAULT PRIVILEGES FOR ROLE gatehouse_demo_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO gatehouse_demo;
ALTER DEFAULT PRIVILEGES FOR ROLE gatehouse_demo_owner GRANT USAGE, SELECT ON SEQUENCES TO gatehouse_demo;
ALTER SCHEMA public OWNER TO gatehouse_demo_owner;
