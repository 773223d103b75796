# Three stages build the pages, the locked packages, and Gatehouse's wheel; the last stage
# runs them. What changes often comes last, so that a change of code does not install the packages
# again.

FROM node:24-bookworm-slim AS pages
WORKDIR /build/web
COPY web/package.json web/package-lock.json ./
COPY web/client/package.json client/
COPY web/explorer/package.json explorer/
COPY web/account/package.json account/
RUN npm ci --workspace client --workspace explorer --workspace account --no-audit --no-fund
COPY web/client/ client/
COPY web/explorer/ explorer/
COPY web/account/ account/
RUN npm run build --workspace client && npm run build --workspace explorer --workspace account

FROM python:3.13-slim-bookworm AS packages
WORKDIR /build
COPY requirements.lock ./
# Without pip, which the server does not need, and only from wheels, because there is no compiler.
RUN python -m venv --without-pip /opt/gatehouse \
    && pip --no-cache-dir --disable-pip-version-check --python /opt/gatehouse/bin/python \
        install --require-hashes --only-binary :all: --requirement requirements.lock

FROM python:3.13-slim-bookworm AS wheel
WORKDIR /build
COPY requirements-build.lock ./
RUN pip --no-cache-dir --disable-pip-version-check install --require-hashes --requirement requirements-build.lock
COPY pyproject.toml README.md ./
COPY cli cli/
COPY server server/
COPY api api/
COPY graphql_schema graphql_schema/
COPY domain domain/
COPY db db/
COPY settings settings/
COPY --from=pages /build/api/static api/static/
RUN python -m hatchling build --target wheel --directory /dist

FROM python:3.13-slim-bookworm
# A fixed id, so that the owner of a volume is known in advance.
RUN groupadd --gid 10001 gatehouse \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin gatehouse \
    && install --directory --owner gatehouse --group gatehouse --mode 0700 /data
COPY --from=packages /opt/gatehouse /opt/gatehouse
RUN --mount=type=bind,from=wheel,source=/dist,target=/dist \
    pip --no-cache-dir --disable-pip-version-check --python /opt/gatehouse/bin/python \
        install --no-index --no-deps /dist/*.whl

ENV PATH=/opt/gatehouse/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATABASE_URL=sqlite:////data/gatehouse.db \
    PICTURES=/data/pictures

# Gatehouse writes only here and to /tmp. It reads a .env in this folder.
VOLUME /data
WORKDIR /data
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Liveness, not readiness: restarting the process would not bring the database back.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --start-interval=1s --retries=3 \
    CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/health/live'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["gatehouse", "serve"]
