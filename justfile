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

# Install one of the examples: `just example vite-react`
example name:
    cargo run --release -- install -C examples/{{name}}

# Install and build every example
realworld:
    cargo xtask realworld
