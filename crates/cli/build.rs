//! Tells the binary which machine it was built for: `{target}` in `karma.toml`.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let target = std::env::var("TARGET").expect("cargo tells a build script its target");
    writeln!(std::io::stdout(), "cargo::rustc-env=KARMA_TARGET={target}")
}
