#!/bin/sh
# Builds the image with the digests of its bases, labels, an SBOM and its provenance:
#
#   deploy/image.sh                                                  # as gatehouse, for this machine
#   deploy/image.sh registry.example.com/gatehouse:1.0.0 --push      # further options of buildx
#
# With --push, the registry keeps the SBOM and the provenance beside the image. Without it, they are
# written to build/image/. SOURCE_URL is the address of the repository, for the image's label.
#
# It needs Docker 23 or newer with buildx. `docker build .`, `podman build .` and `buildah build .`
# make the same image, by the tags of its bases and without labels for the commit.
set -eu
cd "$(dirname "$0")/.."

tag="${1:-gatehouse}"
[ $# -eq 0 ] || shift

# Prints an image of the Dockerfile by the digest that its tag has now.
pinned() {
  image="$(sed -n "s/^ARG $1=//p" Dockerfile)"
  echo "$image@$(docker buildx imagetools inspect "$image" --format '{{.Manifest.Digest}}')"
}

build() {
  docker buildx build --builder gatehouse --build-arg NODE="$node" --build-arg PYTHON="$python" \
    --build-arg VERSION="$version" --build-arg REVISION="$revision" --build-arg SOURCE="${SOURCE_URL:-}" \
    --tag "$tag" "$@" .
}

# The builder of the engine itself makes no SBOM.
docker buildx inspect gatehouse >/dev/null 2>&1 \
  || docker buildx create --name gatehouse --driver docker-container >/dev/null

node="$(pinned NODE)"
python="$(pinned PYTHON)"
version="$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)"
revision="$(git rev-parse HEAD)"
echo "Building $version from $node and $python"

case " $* " in
  *" --push "*) build --sbom=true --provenance=mode=max "$@" ;;
  *)
    build --load --provenance=false "$@"
    # The same layers again, from the cache, because the engine's own store keeps no SBOM.
    rm -rf build/image
    build --sbom=true --provenance=mode=max --output type=local,dest=build/image/files "$@"
    mv build/image/files/sbom*.json build/image/files/provenance.json build/image/
    rm -rf build/image/files
    ;;
esac
