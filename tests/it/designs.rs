//! Designs of others are read, leave again, are valid by their formats' own validators, and come back the same.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result, bail, ensure};
use flowglass_tests::product::{binary, root};
use serde_json::Value;

use crate::ui::{asked_for, sdk_folder};

fn design(arguments: &[&str]) -> Result<Output> {
    Ok(Command::new(binary("flowglass")?).arg("design").args(arguments).output()?)
}

fn imported(path: &Path) -> Result<(String, String)> {
    let output = design(&["import", &path.to_string_lossy()])?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{told}");
    Ok((String::from_utf8(output.stdout)?, told))
}

/// Everything a design leaves as, in a folder.
fn exported(text: &str, folder: &Path) -> Result<Vec<PathBuf>> {
    let file = folder.join("design.yaml");
    std::fs::write(&file, text)?;
    let out = folder.join("catalog");
    let (file, to) = (file.to_string_lossy(), out.to_string_lossy());
    let output = design(&["export", &file, "--format", "backstage", "-o", &to])?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout)?;
    let names = answer["files"].as_array().context("files")?;
    Ok(names.iter().filter_map(|name| Some(out.join(name.as_str()?))).collect())
}

/// A design leaves and comes back the same, but for its title, which the formats have no place for.
fn goes_and_returns(text: &str, folder: &Path) -> Result<Vec<PathBuf>> {
    let files = exported(text, folder)?;
    let (back, told) = imported(&folder.join("catalog"))?;
    let without_title: String = text.split_inclusive('\n').filter(|line| !line.starts_with("title:")).collect();
    ensure!(back == without_title, "it came back as\n{back}");
    ensure!(told.is_empty(), "{told}");
    Ok(files)
}

/// What the formats' own validators say: AsyncAPI's parser, Backstage's catalog model, the OpenAPI specification's validator.
fn are_valid(files: &[PathBuf]) -> Result<()> {
    let sdks = sdk_folder()?;
    let is_openapi = |file: &&PathBuf| file.parent().is_some_and(|p| p.ends_with("openapi"));
    let mut node = Command::new("node");
    node.arg(root().join("tests/sdk/validate.mjs")).arg(sdks.join("node"));
    node.args(files.iter().filter(|f| !is_openapi(f)));
    let mut python = Command::new(sdks.join("venv/bin/python"));
    python.arg(root().join("tests/sdk/validate.py")).arg("openapi").args(files.iter().filter(is_openapi));
    for (mut command, some) in [(node, true), (python, files.iter().any(|f| is_openapi(&f)))] {
        if !some {
            continue;
        }
        let output = command.output().with_context(|| format!("{command:?}"))?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

const KEPT: [&str; 4] = ["openapi", "asyncapi", "backstage", "eventcatalog"];

#[test]
fn designs_of_others_are_read_as_expected_and_return() -> Result<()> {
    let folder = root().join("tests/fixtures/designs");
    for kind in KEPT {
        let (text, _) = imported(&folder.join(kind))?;
        let expected = std::fs::read_to_string(folder.join(format!("expected/{kind}.yaml")))?;
        ensure!(text == expected, "{kind} is read as\n{text}");
        goes_and_returns(&text, tempfile::tempdir()?.path()).context(kind)?;
    }
    Ok(())
}

#[test]
fn what_designs_leave_as_is_valid() -> Result<()> {
    if !asked_for("the validators of AsyncAPI, OpenAPI and Backstage") {
        return Ok(());
    }
    let scratch = tempfile::tempdir()?;
    let mut files = Vec::new();
    let fixtures = root().join("tests/fixtures");
    let expected = KEPT.map(|kind| fixtures.join(format!("designs/expected/{kind}.yaml")));
    for (i, path) in expected.iter().chain([&fixtures.join("landscape/design.yaml")]).enumerate() {
        let folder = scratch.path().join(i.to_string());
        std::fs::create_dir(&folder)?;
        let text = std::fs::read_to_string(path)?;
        files.extend(exported(&text, &folder).with_context(|| path.display().to_string())?);
    }
    are_valid(&files)?;
    // They do say no.
    let wrong = scratch.path().join("openapi");
    std::fs::create_dir(&wrong)?;
    for (name, text) in [
        ("../a.yaml", "asyncapi: 3.0.0\n"),
        ("../c.yaml", "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: { name: a }\nspec: {}\n"),
        ("o.yaml", "openapi: 3.1.0\ninfo: { title: a, version: '1' }\npaths: { a: {} }\n"),
    ] {
        let file = wrong.join(name);
        std::fs::write(&file, text)?;
        let file = if name == "o.yaml" { file } else { scratch.path().join(name.trim_start_matches("../")) };
        ensure!(are_valid(&[file]).is_err(), "{text} is valid");
    }
    Ok(())
}

/// Each file of `FLOWGLASS_DESIGNS` that says that it is a design, and each catalog as a whole.
#[test]
fn designs_from_elsewhere() -> Result<()> {
    let Some(folder) = std::env::var_os("FLOWGLASS_DESIGNS").map(PathBuf::from) else {
        eprintln!("SKIPPED: designs from elsewhere; FLOWGLASS_DESIGNS names no folder of them");
        return Ok(());
    };
    let mut found = Vec::new();
    each_design(&folder, &mut found)?;
    ensure!(!found.is_empty(), "{} holds no design", folder.display());
    let scratch = tempfile::tempdir()?;
    let (mut wrong, mut files) = (Vec::new(), Vec::new());
    for (i, path) in found.iter().enumerate() {
        let own = scratch.path().join(i.to_string());
        std::fs::create_dir(&own)?;
        // A catalog of domains alone holds no participant: there is nothing to write.
        let nothing = |text: &str| text.trim() == "flowglass: design/1";
        let gone = |text: String| if nothing(&text) { Ok(Vec::new()) } else { goes_and_returns(&text, &own) };
        match read_whole(path).and_then(gone) {
            Ok(made) => files.extend(made),
            Err(error) => wrong.push(format!("{}: {error:#}", path.display())),
        }
    }
    eprintln!("{} designs read, {} files left", found.len(), files.len());
    if asked_for("the validators of AsyncAPI, OpenAPI and Backstage") {
        are_valid(&files)?;
    }
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}

/// Reads a design; of OpenAPI in JSON, every operation must have been taken.
fn read_whole(path: &Path) -> Result<String> {
    let (text, _) = imported(path)?;
    let Ok(Value::Object(document)) =
        std::fs::read(path).map_err(anyhow::Error::from).and_then(|b| Ok(serde_json::from_slice(&b)?))
    else {
        return Ok(text);
    };
    const METHODS: [&str; 9] = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];
    for (place, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for method in METHODS.iter().filter(|m| item.get(**m).is_some()) {
            let operation = format!("{} {place}", method.to_ascii_uppercase());
            let is_told = text.lines().any(|line| line.trim_start().trim_start_matches('"').starts_with(&operation));
            ensure!(is_told, "{operation} is missing:\n{text}");
        }
    }
    Ok(text)
}

/// Files that say what they are; a catalog of EventCatalog is one design, from the folder of its `domains` or `services` up.
fn each_design(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries = std::fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect::<Result<Vec<PathBuf>>>()?;
    entries.sort();
    if entries.iter().any(|e| e.is_dir() && (e.ends_with("domains") || e.ends_with("services"))) {
        found.push(folder.to_owned());
        return Ok(());
    }
    for path in entries {
        if path.is_dir() {
            each_design(&path, found)?;
            continue;
        }
        if !path.extension().is_some_and(|e| ["json", "yaml", "yml"].iter().any(|known| e == *known)) {
            continue;
        }
        let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        let says = |key: &str| {
            text.lines().take(40).any(|line| line.trim_start_matches([' ', '{', '"', '\t']).starts_with(key))
        };
        let is_component = says("apiVersion: backstage.io") && says("kind: Component");
        if says("asyncapi:") || says("openapi:") || says("openapi\":") || is_component {
            found.push(path);
        }
    }
    Ok(())
}
