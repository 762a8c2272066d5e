# docker build -t mediaserver .
# docker run -d --network host --name mediaserver \
#     -v /srv/Media:/media:ro -v mediaserver:/data mediaserver
#
# The network of the host is needed: televisions find the server by multicast, which Docker's own
# bridge does not carry.
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY mediaserver mediaserver
COPY migrations migrations
RUN python -m venv /opt/mediaserver && /opt/mediaserver/bin/pip install --no-cache-dir '.[transcode]'

FROM python:3.13-slim
COPY --from=build /opt/mediaserver /opt/mediaserver
RUN useradd --system --uid 8200 --home-dir /data --create-home mediaserver
USER mediaserver
ENV PATH=/opt/mediaserver/bin:$PATH \
    MEDIASERVER_SERVER__DATA_DIR=/data \
    MEDIASERVER_LIBRARY__ROOTS=/media \
    PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8200/tcp 1900/udp
STOPSIGNAL SIGTERM
ENTRYPOINT ["mediaserver"]
CMD ["serve"]
