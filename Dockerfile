# One image for the site and the indexer: `directory serve` by default, `indexer …` for the rest.
FROM python:3.13-slim

WORKDIR /srv
COPY requirements/run.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY directory directory
COPY indexer indexer
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --system --home /srv site && mkdir var && chown site var

USER site
VOLUME /srv/var
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz')"]
CMD ["directory", "serve", "--host", "0.0.0.0"]
