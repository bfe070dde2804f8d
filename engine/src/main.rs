//! The `doorward` command.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Rows and events are made by one thread and dropped by another, some sixty pieces a login: the system's allocator
/// spent a fifth of all instructions on that (`benches/count-instructions`).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    doorward::cli::main()
}
