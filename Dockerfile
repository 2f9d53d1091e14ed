# Both images, for a container engine: `make images`, or
#
#   e2e/cluster/images.sh operator registry-server      builds the static programs
#   docker build --target operator -t private-registry-operator:0.1.0 .
#   docker build --target registry-server -t registry-server:0.1.0 .
#
# Static programs on an empty base, nothing else: there is no base image to pull and to patch.
FROM scratch AS operator
COPY target/x86_64-unknown-linux-gnu/release/operator /operator
USER 65532:65532
ENTRYPOINT ["/operator"]

FROM scratch AS registry-server
COPY target/x86_64-unknown-linux-gnu/release/registry-server /registry-server
USER 65532:65532
ENTRYPOINT ["/registry-server"]
