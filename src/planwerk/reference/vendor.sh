#!/bin/sh
# Fetches the reader of the reference page (Redoc, MIT licence) as its authors published it, checks it, and puts it in
# static/. Run it to move to another version: change VERSION, run it with --accept, look at /docs, commit the result.
set -eu
VERSION=2.5.4
folder=$(cd "$(dirname "$0")" && pwd)/static
workplace=$(mktemp -d)
trap 'rm -rf "$workplace"' EXIT
cd "$workplace"
npm pack --silent "redoc@$VERSION" >/dev/null
tar -xzf "redoc-$VERSION.tgz" package/bundles/redoc.standalone.js package/bundles/redoc.standalone.js.LICENSE.txt package/LICENSE
cd package
# Without the address of a map that is not shipped, and without its picture from another host: the page asks nobody else.
sed -e '/^\/\/# sourceMappingURL=/d' -e 's#https://cdn.redoc.ly/redoc/logo-mini.svg#data:,#' bundles/redoc.standalone.js >"$workplace/redoc.standalone.js"
cat LICENSE bundles/redoc.standalone.js.LICENSE.txt >"$workplace/redoc.standalone.js.LICENSE.txt"
cd "$workplace"
if [ "${1:-}" = --accept ]; then
    sha256sum redoc.standalone.js redoc.standalone.js.LICENSE.txt >"$folder/redoc.sha256"
else
    sha256sum --check --quiet "$folder/redoc.sha256"
fi
cp redoc.standalone.js redoc.standalone.js.LICENSE.txt "$folder/"
echo "redoc $VERSION is in $folder"
