# The tasks of the project; `just` lists them.

default:
    @just --list

# Everything a change must pass
ci:
    .ci/run

# All tests
test *arguments:
    cargo test --workspace {{arguments}}

# The invariants of the source tree
tidy:
    cargo xtask tidy

# Format, then the lints
lint:
    cargo fmt --all
    cargo clippy --workspace --all-targets -- -D warnings

# Accept the changed outputs of dx, and show them
snapshots:
    INSTA_UPDATE=always cargo test -p dx-pkg-cli
    cargo xtask snapshots
    git diff

# Fuzz a decoder: `just fuzz dxp_decode`
fuzz target iterations="1000000":
    cargo run --release --manifest-path fuzz/Cargo.toml -- {{target}} {{iterations}}

# Install one of the npm projects in examples/: `just example vite-react`
example name:
    cargo run --release -- install -C examples/{{name}}

# Resolve a manifest with the library alone: `just embed examples/express-api/package.json`
embed manifest *arguments:
    cargo run -p embed -- {{manifest}} {{arguments}}

# Install and build every npm project in examples/
realworld:
    cargo xtask realworld
