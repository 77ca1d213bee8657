//! The `flowglass` command.

/// Spans are many small texts that live together and die together: half of what storing them cost was the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    flowglass_studio::memory::keep_small();
    flowglass_cli::run(std::env::args_os())
}
