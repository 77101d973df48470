# Builds the Debian packages. To be sourced.

# package_build SOURCE VERSION OUTPUT: builds the tree as this version; its packages go into OUTPUT. Compilations are
# taken from ccache where there is one.
package_build() {
    local source=$1 version=$2 output=$3
    mkdir -p "$output/ates"
    tar -C "$source" --exclude='./build*' --exclude=./.git --exclude=./var --exclude=./tests/web/node_modules \
        -cf - . | tar -C "$output/ates" -xf -
    sed -i "1s/(.*)/($version)/" "$output/ates/debian/changelog"
    (cd "$output/ates" && PATH=/usr/lib/ccache:$PATH CCACHE_BASEDIR=$output dpkg-buildpackage -us -uc) \
        >"$output/build.log" 2>&1 || {
        tail -n 20 "$output/build.log"
        return 1
    }
    rm -rf "$output/ates"
}
