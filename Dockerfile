# Stages build the pages, the locked packages, and Gatehouse's wheel; the last stage runs them. What
# changes often comes last, so that a change of code does not install the packages again. Docker
# 20.10 or newer builds it, and so do Podman and Buildah. `deploy/image.sh` adds digests and an SBOM.

# A tag brings the patches of Debian, Python and Node with each build. deploy/image.sh pins the
# digests that the tags have at that moment.
ARG NODE=node:24-bookworm-slim
ARG PYTHON=python:3.13-slim-bookworm

FROM ${NODE} AS pages
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

FROM ${PYTHON} AS packages
WORKDIR /build
COPY requirements.lock ./
# Without pip, which the server does not need, and only from wheels, because there is no compiler.
RUN python -m venv --without-pip /opt/gatehouse \
    && pip --no-cache-dir --disable-pip-version-check --python /opt/gatehouse/bin/python \
        install --require-hashes --only-binary :all: --requirement requirements.lock

FROM ${PYTHON} AS wheel
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

# Only the files of Gatehouse, for a layer without those of the packages.
FROM packages AS installed
COPY --from=wheel /dist /dist
RUN pip --no-cache-dir --disable-pip-version-check --python /opt/gatehouse/bin/python \
        install --no-index --no-deps --root /installed /dist/*.whl

FROM ${PYTHON}
# A fixed id, so that the owner of a volume is known in advance. OpenShift runs the image as another
# user, of the group 0, which may write to /data as well. A user of another group may look for a
# .env there. Neither pip nor the wheel of it that comes with Python is needed.
RUN groupadd --gid 10001 gatehouse \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin gatehouse \
    && install --directory --owner gatehouse --group root --mode 0771 /data \
    && python -m pip --no-cache-dir --disable-pip-version-check uninstall --yes --root-user-action ignore pip \
    && python -c "import ensurepip, shutil; shutil.rmtree(ensurepip.__path__[0])"
COPY --from=packages /opt/gatehouse /opt/gatehouse
COPY --from=installed /installed /

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
# (--start-interval needs Docker 25.)
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["gatehouse", "health"]
CMD ["gatehouse", "serve"]

# Last, because they change with each commit.
ARG VERSION=
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="Gatehouse" \
    org.opencontainers.image.description="A GraphQL accounts API" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.source="${SOURCE}"
