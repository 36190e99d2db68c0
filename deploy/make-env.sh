#!/bin/sh
# Makes the secrets of a fleet, once: keys.env (every role), engines.env (control, worker, migrate) and the passwords
# that the engines themselves start with. Existing files are left alone: a new key would orphan what the old one sealed.
set -eu
umask 077
folder=${1:-$(dirname -- "$0")/env}
mkdir -p -- "$folder"
cd -- "$folder"

random() { head -c "$1" /dev/urandom | base64 | tr -d '\n'; }
word() { random 24 | tr '+/' '-_' | tr -d '='; }

for file in keys.env engines.env postgres.env clickhouse.env; do
  if [ -e "$file" ]; then
    echo "$file exists already; nothing was changed." >&2
    exit 1
  fi
done

database=$(word)
lake=$(word)
printf 'CORDON_KEK=%s\nCORDON_INTERNAL_KEY=%s\n' "$(random 32)" "$(word)" >keys.env
printf 'DATABASE_URL=postgres://cordon:%s@postgres:5432/cordon\nCLICKHOUSE_URL=http://cordon:%s@clickhouse:8123/cordon\n' \
  "$database" "$lake" >engines.env
printf 'POSTGRES_USER=cordon\nPOSTGRES_DB=cordon\nPOSTGRES_PASSWORD=%s\n' "$database" >postgres.env
printf 'CLICKHOUSE_USER=cordon\nCLICKHOUSE_DB=cordon\nCLICKHOUSE_PASSWORD=%s\n' "$lake" >clickhouse.env
echo "Made keys.env, engines.env, postgres.env and clickhouse.env in $(pwd). Back up keys.env: without it no stored secret opens." >&2
