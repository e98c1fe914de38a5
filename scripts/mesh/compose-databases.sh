#!/bin/sh
# Databases and roles for Docker Compose: the official Postgres image runs this once, on an empty data directory.
# Passwords come from the same secret files that the services read.
set -eu

secret() {
    printf "\\\\set %s '%s'\n" "$1" "$(cat "/run/secrets/$1")"
}

{
    secret issuer_owner_password
    secret issuer_password
    secret demo_owner_password
    secret demo_password
    cat /etc/gatehouse/databases.sql
} | psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -f -
