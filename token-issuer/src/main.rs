//! token-issuer

fn main() {}
