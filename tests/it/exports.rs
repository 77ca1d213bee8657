//! What is exported is valid by the formats' own schemas.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use flowglass_tests::product::{binary, root};

use crate::ui::{asked_for, sdk_folder};

fn exported(format: &str) -> Result<Vec<u8>> {
    let scenario = root().join("crates/scenario/tests/fixtures/place-order.yaml");
    let mut command = Command::new(binary("flowglass")?);
    let output = command.arg("decide").arg(scenario).args(["--quick", "--format", format]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}

fn is_valid(document: &[u8], schema: &str) -> Result<()> {
    let mut command = Command::new(sdk_folder()?.join("venv/bin/python"));
    command.arg(root().join("tests/sdk/validate.py")).arg(schema);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    child.stdin.take().context("a pipe")?.write_all(document)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[test]
fn asyncapi_is_valid() -> Result<()> {
    if !asked_for("the AsyncAPI schema") {
        return Ok(());
    }
    let schema = root().join("tests/fixtures/formats/asyncapi-3.0.0.schema.json");
    let schema = schema.to_str().context("a path")?;
    is_valid(&exported("asyncapi")?, schema)?;
    ensure!(is_valid(br#"{ "asyncapi": "3.0.0" }"#, schema).is_err(), "a document without info is none");
    Ok(())
}

#[test]
fn openapi_is_valid() -> Result<()> {
    if !asked_for("the OpenAPI schema") {
        return Ok(());
    }
    is_valid(&exported("openapi")?, "openapi")?;
    ensure!(is_valid(br#"{ "openapi": "3.1.0" }"#, "openapi").is_err(), "a document without info is none");
    Ok(())
}
