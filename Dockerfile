# syntax=docker/dockerfile:1
# One image; the role is the command: serve, worker or migrate.
# docker build --tag loyalty-service:0.1.0 .

FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /build
# The backend stays here: what runs needs no build tools, and a build fetches nothing unpinned.
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r requirements-build.lock \
    && python -m venv --without-pip /opt/loyalty \
    && /opt/build/bin/pip --python /opt/loyalty/bin/python install --require-hashes -r requirements.lock
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY loyalty_service loyalty_service
COPY migrations migrations
COPY programs programs
RUN /opt/build/bin/pip wheel --no-index --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/build/bin/pip --python /opt/loyalty/bin/python install --no-index --no-deps dist/*.whl

FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="loyalty-service" \
      org.opencontainers.image.description="Points, rewards and thank-you discounts for a shop" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/loyalty /opt/loyalty
ENV PATH=/opt/loyalty/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LOYALTY_ENV=production
# A number without an account: Kubernetes can tell that it is not root, and nobody needs its name.
USER 10001:10001
WORKDIR /
EXPOSE 8080
# serve and worker answer it alike; Kubernetes asks its own probes instead.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/livez', timeout=4)"]
ENTRYPOINT ["loyalty"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
