# One image for the site and the indexer: `directory serve` by default, `indexer …` for the rest.
# Why it is made so: docs/decisions/020-image.md.
ARG BASE=python:3.11.14-slim-bookworm

FROM ${BASE} AS made
ENV PYTHONHASHSEED=0 SOURCE_DATE_EPOCH=1735689600
WORKDIR /made
COPY requirements/build.txt requirements/traces.txt requirements/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf python3 -m venv tools \
    && tools/bin/pip install -q --no-cache-dir --only-binary :all: --require-hashes -r requirements/build.txt \
    && python3 -m venv --without-pip /srv/venv \
    && tools/bin/pip --python /srv/venv/bin/python install -q --no-cache-dir --no-compile \
        --only-binary :all: --require-hashes -r requirements/traces.txt
COPY pyproject.toml README.md LICENSE ./
COPY directory directory
COPY indexer indexer
# Bytecode that names no time: two builds are equal, and nothing needs to be written at run time.
RUN tools/bin/pip wheel -q --no-deps --no-build-isolation --wheel-dir wheel . \
    && tools/bin/pip --python /srv/venv/bin/python install -q --no-compile --no-index --no-deps wheel/*.whl \
    && find /srv/venv -path '*.dist-info/direct_url.json' -delete \
    && /srv/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /srv/venv/lib

FROM ${BASE}
RUN for each in wheel setuptools pip; do \
        ! python3 -m pip show -q $each 2>/dev/null || python3 -m pip uninstall -q --yes $each; \
    done \
    && groupadd --gid 10001 site \
    && useradd --uid 10001 --gid site --no-create-home --home-dir /srv --shell /usr/sbin/nologin site \
    && mkdir /srv/var && chown site:site /srv/var
COPY --from=made /srv/venv /srv/venv
ENV PATH=/srv/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv
USER 10001:10001
VOLUME /srv/var
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["directory", "serve", "--host", "0.0.0.0"]
