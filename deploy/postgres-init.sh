#!/bin/sh
# Run once by PostgreSQL's image, when the database volume is new: the product's own role owns its database and
# nothing else. The superuser stays for the administrator, by `docker compose exec postgres psql -U postgres`.
set -eu
psql --username postgres --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
	--set password="$(cat /run/secrets/postgres_password)" <<'SQL'
CREATE ROLE webmail LOGIN PASSWORD :'password';
CREATE DATABASE webmail OWNER webmail;
REVOKE ALL ON DATABASE webmail FROM PUBLIC;
SQL
