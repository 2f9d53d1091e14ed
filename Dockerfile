# Both images: `docker build --target operator .` and `docker build --target registry-server .`
# Static programs on an empty base; the end-to-end suite packs the same with e2e/cluster/images.sh.
FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# With --target, the flags reach the programs and not the build scripts and macros, which cannot be static.
RUN target="$(uname -m)-unknown-linux-gnu" \
    && RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --target "$target" -p operator -p registry-server \
    && mkdir /out && cp "target/$target/release/operator" "target/$target/release/registry-server" /out/

FROM scratch AS operator
COPY --from=build /out/operator /operator
USER 65532:65532
ENTRYPOINT ["/operator"]

FROM scratch AS registry-server
COPY --from=build /out/registry-server /registry-server
USER 65532:65532
ENTRYPOINT ["/registry-server"]
