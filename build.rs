//! How the executable is linked. It must not generate code: what is generated lies in the tree, and tests compare it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |key| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        // Relocations as a bitmap: 18 KB instead of 2 MB, which the loader would read, and keep resident, at each start.
        // glibc reads it from 2.36 on (Debian 12); a linker that does not know it warns and goes on.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
