//! `dx` as a user runs it, against a registry in this process.
