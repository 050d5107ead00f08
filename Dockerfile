# Glueprint on plain Debian: the system from its packages, Python packages from the lock, each checked by its hash.
#   docker build -t glueprint .
#   docker run --rm -v "$PWD:/work" glueprint study run pomalidomide --out demo-study
FROM debian:bookworm-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 glueprint

COPY pyproject.toml requirements-core.lock README.md LICENSE /opt/glueprint/
COPY src /opt/glueprint/src
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /opt/glueprint/requirements-core.lock \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation /opt/glueprint

USER glueprint
WORKDIR /work
ENV PATH=/opt/venv/bin:$PATH PYTHONUTF8=1
ENTRYPOINT ["glueprint"]
CMD ["--help"]
