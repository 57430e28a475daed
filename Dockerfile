# The images of docker-compose.yml: `app` runs every process of the product, `proxy` is Caddy without privileges,
# `demo` is `app` beside a Dovecot with demo mail. What is tested is what is shipped: the Python of Debian 12.
ARG PYTHON=3.11-slim-bookworm

# ---- What the browser gets from npm: the exact files of the lock, no script of a package is run
FROM node:22-bookworm-slim AS npm
WORKDIR /npm
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund

# ---- The locked libraries; only wheels, so that nothing is compiled or run at install
FROM python:${PYTHON} AS libraries
COPY requirements.txt .
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.txt \
 && /venv/bin/pip uninstall --yes pip setuptools

# ---- The proxy. The original gives its binary a file capability, with which an unprivileged container can't start
# it: a copy has none. The volumes below /data and /config begin as copies of these directories, owner included.
FROM caddy:2.10-alpine AS proxy
RUN cp /usr/bin/caddy /usr/bin/caddy-plain && mv /usr/bin/caddy-plain /usr/bin/caddy \
 && adduser -D -H -u 10002 proxy && chown -R proxy:proxy /data /config
COPY deploy/Caddyfile /etc/caddy/Caddyfile
USER 10002:10002

# ---- The product
FROM python:${PYTHON} AS app
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin webmail
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 VAR_DIR=/tmp STATIC_ROOT=/app/staticfiles
WORKDIR /app
COPY --from=libraries /venv /venv
COPY --from=npm /npm/node_modules node_modules
COPY manage.py ./
COPY webmail webmail
COPY templates templates
COPY static static
COPY deploy/healthy.py deploy/healthy.py
# The values are asked for by the settings and used for nothing here.
RUN SECRET_KEY=build CREDENTIAL_KEYS=build python manage.py collectstatic --noinput \
 && rm -r node_modules \
 && python -m compileall -q webmail deploy
USER 10001:10001

# ---- The demo: the same, and a mail server to sign in to
FROM app AS demo
USER 0
RUN apt-get update && apt-get install -y --no-install-recommends dovecot-imapd openssl && rm -rf /var/lib/apt/lists/*
COPY deploy/dovecot.conf /etc/dovecot/demo.conf
# A certificate for the name of the service, its own authority; the key never leaves this image.
RUN openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=dovecot" \
      -addext "subjectAltName=DNS:dovecot" -keyout /etc/dovecot/demo.key -out /etc/dovecot/demo.pem \
 && chmod 644 /etc/dovecot/demo.key && mkdir /mail && chown 10001:10001 /mail
USER 10001:10001
