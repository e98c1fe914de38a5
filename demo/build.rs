//! Tells cargo to rebuild when a migration is added: the macro that embeds them can only watch the files it knows.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
