#!/usr/bin/env bash
# Packs a folder as an image, without a container engine: an OCI layout in a tar file. The same folder and
# arguments give the same bytes. Files belong to root and can be read by all. Prints nothing on standard output.
#
#   image.sh NAME:TAG FILE.tar USER FOLDER ENTRYPOINT [ARGUMENT...]
set -euo pipefail
[ $# -ge 5 ] || {
	sed -n '5p' "$0" >&2
	exit 2
}
name=$1 file=$2 user=$3 folder=$4
shift 4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
blobs=$work/layout/blobs/sha256
mkdir -p "$blobs" "$(dirname "$file")"
pack() { tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=a+rX --format=gnu -C "$1" -cf "$2" .; }

# store MEDIA-TYPE: standard input becomes a blob; prints its descriptor.
store() {
	local digest
	cat >"$work/blob"
	digest=$(sha256sum "$work/blob" | cut -d' ' -f1)
	jq -cn --arg type "application/vnd.oci.image.$1" --arg digest "sha256:$digest" \
		--argjson size "$(stat -c %s "$work/blob")" '{mediaType: $type, digest: $digest, size: $size}'
	mv "$work/blob" "$blobs/$digest"
}

# Clients that check an image (crane validate) want a compressed layer; gzip -n leaves the time out.
pack "$folder" "$work/layer"
diff_id=sha256:$(sha256sum "$work/layer" | cut -d' ' -f1)
layer=$(gzip -n -6 <"$work/layer" | store layer.v1.tar+gzip)
config=$(jq -cn --arg diff_id "$diff_id" --arg user "$user" --arg arch "$(dpkg --print-architecture)" '{
	created: "1970-01-01T00:00:00Z", architecture: $arch, os: "linux",
	config: {User: $user, WorkingDir: "/", Entrypoint: $ARGS.positional, Env: ["PATH=/usr/bin:/bin"]},
	rootfs: {type: "layers", diff_ids: [$diff_id]}
}' --args -- "$@" | store config.v1+json)
manifest=$(jq -cn --argjson config "$config" --argjson layer "$layer" '{
	schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: $config, layers: [$layer]
}' | store manifest.v1+json)
# containerd reads the first annotation, skopeo and crane the second.
jq -cn --argjson manifest "$manifest" --arg name "$name" '{
	schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
	manifests: [$manifest + {annotations: {
		"io.containerd.image.name": $name, "org.opencontainers.image.ref.name": ($name | sub(".*:"; ""))
	}}]
}' >"$work/layout/index.json"
echo '{"imageLayoutVersion":"1.0.0"}' >"$work/layout/oci-layout"
pack "$work/layout" "$work/image.tar"
mv "$work/image.tar" "$file"
