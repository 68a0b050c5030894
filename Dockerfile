# The image: one program and the libraries it needs, as a user without rights, without a shell.
#
#   docker build -t registry.example.com/verbatim:0.1.0 .
#
# For the same bytes every time give the base by digest and build for one commit:
#
#   docker build --build-arg BASE=rust:1.89-slim-bookworm@sha256:… \
#     --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) …

ARG BASE=rust:1.89-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
ARG SOURCE_DATE_EPOCH=0
ENV SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH}
# No path of the machine that builds gets into the program.
ENV RUSTFLAGS="--remap-path-prefix=/build=. --remap-path-prefix=/usr/local/cargo=cargo"

COPY . .
# The caches are the builder's: nothing of them is in a layer.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin verbatim && image/rootfs target/release/verbatim /rootfs && mkdir /data

FROM scratch
COPY --from=build /rootfs /
# A new volume takes over this owner.
COPY --from=build --chown=65532:65532 /data /var/lib/verbatim

# The settings of `serve`; a flag wins over them.
ENV VERBATIM_DATA=/var/lib/verbatim/deals \
    VERBATIM_LISTEN=0.0.0.0:7450 \
    VERBATIM_OPS_LISTEN=0.0.0.0:7451

USER 65532:65532
WORKDIR /var/lib/verbatim
VOLUME /var/lib/verbatim
EXPOSE 7450 7451
STOPSIGNAL SIGTERM
# Kubernetes does not look at it: there the chart's probes do the same.
HEALTHCHECK --interval=10s --timeout=3s --start-period=300s --retries=3 CMD ["/usr/bin/verbatim", "healthcheck"]
ENTRYPOINT ["/usr/bin/verbatim"]
CMD ["serve"]
LABEL org.opencontainers.image.title="verbatim" \
      org.opencontainers.image.description="A deal-qualification service that believes only what buyers said" \
      org.opencontainers.image.licenses="Apache-2.0"
