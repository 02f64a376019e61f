# The service's one image: web, worker and beat differ in their command alone.

FROM python:3.13.9-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --require-hashes -r requirements.txt

FROM python:3.13.9-slim-bookworm
# Django drives PostGIS through GDAL and GEOS; `manage.py dbshell` runs psql.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgdal32 libgeos-c1v5 postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /app app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DJANGO_ENVIRONMENT=production PORT=8002
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY . .
RUN sh .ci/as-production python manage.py collectstatic --noinput && mkdir -p var && chown app var
USER app
EXPOSE 8002
# As a host the service is told to answer to; health checks are spared the redirection to HTTPS.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(web.Request('http://127.0.0.1:' + os.environ['PORT'] + '/api/v1/auth/health/live/', headers={'Host': os.environ.get('ALLOWED_HOSTS', 'localhost').split(',')[0]}), timeout=3)"]
STOPSIGNAL SIGTERM
CMD ["python", "serve.py"]
