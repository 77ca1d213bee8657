//! What a machine must have. Missing Debian packages are installed where that works without a password; else they are named.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::run::{cargo, command, on_path, root, run, succeeds, target};

/// The version of cargo-deny that the configuration was written for.
const CARGO_DENY: &str = "0.20.2";

/// Something that must be there, and the Debian package that brings it.
struct Need {
    there: fn() -> bool,
    package: &'static str,
}

macro_rules! program {
    ($name:literal, $package:literal) => {
        Need { there: || on_path($name).is_some(), package: $package }
    };
}

const COMPILER: &[Need] = &[program!("cc", "build-essential"), program!("pkg-config", "pkg-config")];
const WINDOW: &[Need] = &[Need {
    there: || succeeds(&mut command("pkg-config", ["--exists", "webkit2gtk-4.1"])),
    package: "libwebkit2gtk-4.1-dev",
}];
const NATS: &[Need] = &[program!("nats-server", "nats-server")];
const UNWATCHED: &[Need] =
    &[program!("Xvfb", "xvfb"), program!("WebKitWebDriver", "webkit2gtk-driver"), program!("dbus-run-session", "dbus")];
const BROWSER: &[Need] = &[program!("chromium", "chromium"), program!("chromedriver", "chromium-driver")];
const PYTHON: &[Need] = &[
    program!("python3", "python3"),
    Need { there: || succeeds(&mut command("python3", ["-c", "import ensurepip"])), package: "python3-venv" },
];

/// Everything that building and testing need.
pub(crate) fn everything() -> Result<()> {
    packages(&[COMPILER, WINDOW, NATS, UNWATCHED, BROWSER, PYTHON])?;
    node()?;
    cargo_deny()?;
    sdks()
}

/// What a soak needs.
pub(crate) fn soak() -> Result<()> {
    packages(&[COMPILER, NATS, BROWSER])?;
    node()
}

/// What the demo needs. Without a NATS server it sends its events over HTTP, so that one is only wished for.
pub(crate) fn demo(window: bool, unwatched: bool) -> Result<()> {
    let mut needs = vec![COMPILER];
    if window {
        needs.push(WINDOW);
    }
    if unwatched {
        needs.extend([UNWATCHED, NATS]);
    }
    packages(&needs)?;
    if let (false, Err(error)) = (unwatched, packages(&[NATS])) {
        eprintln!("cargo xtask: no nats-server: the landscape sends its events over HTTP instead ({error:#})");
    }
    node()
}

fn packages(needs: &[&[Need]]) -> Result<()> {
    let missing: Vec<&str> =
        needs.iter().copied().flatten().filter(|need| !(need.there)()).map(|need| need.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let words = missing.join(" ");
    let by_hand = format!("sudo apt-get update && sudo apt-get install --no-install-recommends {words}");
    if on_path("apt-get").is_none() {
        bail!(
            "missing, by their Debian names: {words}. Install them with your system's package manager, then try again"
        );
    }
    let Some(prefix) = privileges() else {
        bail!("missing: {words}. Run this, then try again:\n  {by_hand}");
    };
    let apt = |arguments: &[&str]| {
        let words: Vec<&str> = prefix
            .iter()
            .chain(&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .chain(arguments)
            .copied()
            .collect();
        run(&mut command(words[0], &words[1..]))
    };
    let install: Vec<&str> = ["install", "--yes", "--no-install-recommends"].into_iter().chain(missing).collect();
    apt(&["update"]).and_then(|()| apt(&install)).with_context(|| format!("try by hand:\n  {by_hand}"))
}

/// What makes a command run as root without asking; nothing if that is not possible.
fn privileges() -> Option<&'static [&'static str]> {
    if succeeds(&mut command("sh", ["-c", "test \"$(id -u)\" = 0"])) {
        return Some(&[]);
    }
    succeeds(&mut command("sudo", ["-n", "true"])).then_some(&["sudo", "-n"])
}

fn node() -> Result<()> {
    let old = "const [a, b] = process.versions.node.split('.').map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)";
    if !succeeds(&mut command("node", ["-e", old])) || on_path("npm").is_none() {
        bail!("Node.js 20.19 or newer with npm is needed to build the UI: https://nodejs.org/");
    }
    Ok(())
}

fn cargo_deny() -> Result<()> {
    if succeeds(&mut cargo(["deny", "--version"])) {
        return Ok(());
    }
    let package = format!("cargo-deny@{CARGO_DENY}");
    // It runs for seconds and compiles for minutes: little optimisation is the faster choice.
    let quick = ["--config", "profile.release.opt-level=1", "--config", "profile.release.lto=false"];
    run(cargo(["install", "--locked", &package]).args(quick))
}

/// The OpenTelemetry SDKs of other languages, at the versions that the lock files name.
fn sdks() -> Result<()> {
    let (from, to) = (root().join("tests/sdk"), target().join("sdk"));
    std::fs::create_dir_all(&to)?;
    let venv = to.join("venv");
    once(&from.join("requirements.txt"), &venv.join("installed.txt"), || {
        if !venv.join("bin/python").exists() {
            run(command("python3", ["-m", "venv"]).arg(&venv))?;
        }
        let pip = venv.join("bin/pip");
        run(command(&pip.to_string_lossy(), ["install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(from.join("requirements.txt")))
    })?;
    npm_packages(&from, &to.join("node"))
}

/// Installs the npm packages that the lock file in a folder names into another one.
pub(crate) fn npm_packages(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    once(&from.join("package-lock.json"), &to.join("installed.json"), || {
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(from.join(file), to.join(file))?;
        }
        // None of them needs its scripts, and one would report home.
        run(command("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(to))
    })
}

/// Does something when `source` is not what it was when it was last done; `stamp` keeps that.
pub(crate) fn once(source: &Path, stamp: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = std::fs::read(source).with_context(|| source.display().to_string())?;
    if std::fs::read(stamp).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    work()?;
    std::fs::write(stamp, wanted).with_context(|| stamp.display().to_string())
}
