//! The `dx-registry` command.

fn main() {}
