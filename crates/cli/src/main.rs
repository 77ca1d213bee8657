//! The `flowglass` command.

fn main() -> std::process::ExitCode {
    flowglass_cli::run(std::env::args_os())
}
