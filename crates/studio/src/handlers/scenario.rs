//! Scenarios as files: list, read, keep, make, rename, delete, call back.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flowglass_design::export::{asyncapi, openapi};
use flowglass_scenario::export::{self, Record};

use super::{bad_request, not_found};
use crate::Studio;
use crate::api::*;
use crate::rfc3339;
use crate::scenarios::{Checked, Folder, TEMPLATES, check, fingerprint, read_file, template};
use crate::studio::lock;

impl Studio {
    /// Where the workspace's scenarios lie.
    pub(crate) fn scenario_folder(&self) -> Folder {
        Folder::of(self.workspace().path())
    }

    /// Does file work on a blocking thread, one after the other, so that nobody reads what somebody else is about to replace.
    async fn filed<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let studio = self.clone();
        let alone = move || {
            let _one_at_a_time = lock(&studio.0.scenarios.files);
            work(&studio.scenario_folder())
        };
        match tokio::task::spawn_blocking(alone).await {
            Ok(answer) => answer,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// A scenario as it lies in its file.
    pub(crate) async fn scenario_text(&self, id: &str) -> Result<(String, Checked), ApiError> {
        let id = id.to_owned();
        self.filed(move |folder| {
            let text = folder.read(&id)?;
            let checked = check(&text, folder.path());
            Ok((text, checked))
        })
        .await
    }

    async fn scenario_view(&self, id: String) -> Result<ScenarioView, ApiError> {
        let run = self.0.scenarios.of(&id);
        self.filed(move |folder| {
            let text = folder.read(&id)?;
            // One that an older version wrote, or that is damaged, is as good as none: a run finds it again.
            let result = folder.read_result(&id).and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let check = check(&text, folder.path()).check;
            Ok(ScenarioView { id, revision: fingerprint(&text), text, check, result, run })
        })
        .await
    }
}

/// See [`Scenarios`].
pub(crate) async fn scenarios(studio: &Studio, _: Nothing) -> Result<Scenarios, ApiError> {
    studio
        .filed(|folder| {
            let items = folder.list()?.into_iter().map(|listed| {
                let text = folder.read(&listed.id).unwrap_or_default();
                let check = check(&text, folder.path()).check;
                let stem = || listed.id.rsplit_once('.').map_or(listed.id.as_str(), |(stem, _)| stem).to_owned();
                ScenarioEntry {
                    title: check.design.map_or_else(stem, |d| d.title),
                    problems: check.problems.len() as u32,
                    changed_at: listed.changed_at,
                    id: listed.id,
                }
            });
            let templates = TEMPLATES.iter().map(|t| ScenarioTemplate {
                id: t.id.into(),
                title: t.title.into(),
                text: t.words.into(),
            });
            Ok(Scenarios {
                items: items.collect(),
                folder: folder.path().display().to_string(),
                templates: templates.collect(),
            })
        })
        .await
}

/// A scenario in full.
pub(crate) async fn scenario(studio: &Studio, request: ScenarioRequest) -> Result<ScenarioView, ApiError> {
    studio.scenario_view(request.id).await
}

/// Makes a scenario.
pub(crate) async fn scenario_create(studio: &Studio, request: CreateScenarioRequest) -> Result<ScenarioView, ApiError> {
    let id = studio
        .filed(move |folder| {
            let (text, name) = match request {
                CreateScenarioRequest { template: Some(id), .. } => {
                    let found = template(&id).ok_or_else(|| bad_request(format!("there is no template `{id}`")))?;
                    (found.text.to_owned(), found.title.to_owned())
                }
                CreateScenarioRequest { copy_of: Some(id), .. } => (folder.read(&id)?, id),
                CreateScenarioRequest { text: Some(text), .. } => {
                    let title = check(&text, folder.path()).check.design.map(|d| d.title);
                    (text, title.unwrap_or_default())
                }
                CreateScenarioRequest { path: Some(path), .. } => {
                    let path = PathBuf::from(path);
                    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
                    (read_file(&path)?, name)
                }
                _ => return Err(bad_request("say what the scenario begins with: a template, a text or a file")),
            };
            let wanted = if request.name.trim().is_empty() { name } else { request.name };
            let id = folder.free(&wanted);
            folder.write(&id, &text)?;
            Ok(id)
        })
        .await?;
    studio.publish(Update::Scenarios {});
    studio.scenario_view(id).await
}

/// Keeps the text of a scenario, right or wrong.
pub(crate) async fn scenario_save(studio: &Studio, request: SaveScenarioRequest) -> Result<ScenarioSaved, ApiError> {
    let saved = studio.filed(move |folder| {
        let before = folder.read(&request.id)?;
        if request.revision.is_some_and(|r| r != fingerprint(&before)) {
            let message = format!("{} was changed by another program meanwhile", request.id);
            return Err(ApiError { code: "held".into(), message });
        }
        let changed = before != request.text;
        if changed {
            folder.write(&request.id, &request.text)?;
        }
        let check = check(&request.text, folder.path()).check;
        Ok((ScenarioSaved { revision: fingerprint(&request.text), check }, changed))
    });
    let (saved, changed) = saved.await?;
    if changed {
        studio.publish(Update::Scenarios {});
    }
    Ok(saved)
}

/// Gives a scenario's file another name.
pub(crate) async fn scenario_rename(studio: &Studio, request: RenameScenarioRequest) -> Result<ScenarioView, ApiError> {
    idle(studio, &request.id)?;
    if request.name.trim().is_empty() {
        return Err(bad_request("write a name"));
    }
    let id = studio.filed(move |folder| folder.rename(&request.id, &request.name)).await?;
    studio.publish(Update::Scenarios {});
    studio.scenario_view(id).await
}

/// Deletes a scenario; it can be called back.
pub(crate) async fn scenario_delete(studio: &Studio, request: ScenarioRequest) -> Result<DeletedScenario, ApiError> {
    studio.0.scenarios.cancel(&request.id);
    let token = studio.filed(move |folder| folder.delete(&request.id)).await?;
    studio.publish(Update::Scenarios {});
    Ok(DeletedScenario { token })
}

/// Calls a deleted scenario back.
pub(crate) async fn scenario_restore(
    studio: &Studio,
    request: RestoreScenarioRequest,
) -> Result<ScenarioView, ApiError> {
    let id = studio.filed(move |folder| folder.restore(&request.token)).await?;
    studio.publish(Update::Scenarios {});
    studio.scenario_view(id).await
}

/// Starts a run; progress comes as updates.
pub(crate) async fn scenario_run(studio: &Studio, request: ScenarioRequest) -> Result<ScenarioRun, ApiError> {
    let (_, checked) = studio.scenario_text(&request.id).await?;
    let scenario = checked.scenario.ok_or_else(|| first_problem(&checked.check))?;
    let started = studio.start_run(request.id.clone(), scenario, checked.check.inputs);
    started.ok_or_else(|| ApiError { code: "held".into(), message: "This scenario is being run already.".into() })
}

/// Stops a run; what was finished of it is kept.
pub(crate) async fn scenario_cancel(studio: &Studio, request: ScenarioRequest) -> Result<Nothing, ApiError> {
    if studio.0.scenarios.cancel(&request.id) { Ok(Nothing {}) } else { Err(not_found("a run of this scenario")) }
}

/// Simulates a text in a hurry.
pub(crate) async fn scenario_preview(
    studio: &Studio,
    request: PreviewScenarioRequest,
) -> Result<ScenarioPreview, ApiError> {
    let text = request.text;
    let checked = studio.filed(move |folder| Ok(check(&text, folder.path()))).await?;
    let Some(scenario) = checked.scenario else { return Ok(ScenarioPreview { result: None, check: checked.check }) };
    let variants = request.variants.into_iter().filter(|v| scenario.variant(v).is_some()).collect();
    let result = studio.preview(&request.id, scenario, variants, checked.check.inputs.clone()).await;
    Ok(ScenarioPreview { result: result.map_err(|e| bad_request(e.to_string()))?, check: checked.check })
}

/// Decision record, AsyncAPI, OpenAPI or Mermaid of what was run.
pub(crate) async fn scenario_export(studio: &Studio, request: ScenarioExportRequest) -> Result<FileContents, ApiError> {
    let (_, checked) = studio.scenario_text(&request.id).await?;
    let run = studio.0.scenarios.finished(&request.id).filter(|run| run.inputs == checked.check.inputs);
    let run =
        run.ok_or_else(|| bad_request("Run the scenario first: what leaves the studio is of what stands there now."))?;
    let variant = match &request.variant {
        Some(name) => run.scenario.variant(name).cloned().ok_or_else(|| not_found(&format!("the variant `{name}`")))?,
        None => export::recommended(&run.scenario, &run.study.decision.recommended_variant),
    };
    let date = rfc3339(studio.now());
    let record = Record {
        scenario: &run.scenario,
        study: &run.study,
        outcome: Some(&run.outcome),
        date: date.split('T').next(),
    };
    let json = |value: serde_json::Value| serde_json::to_string_pretty(&value).unwrap_or_default();
    let (ending, media_type, text) = match request.format.as_str() {
        "record" => ("decision.md", "text/markdown", export::markdown(&record)),
        "record-html" => ("decision.html", "text/html", export::html(&record)),
        "asyncapi" => ("asyncapi.json", "application/json", json(asyncapi(&export::events(&run.scenario, &variant)))),
        "openapi" => ("openapi.json", "application/json", json(openapi(&export::calls(&run.scenario, &variant)))),
        "mermaid" => ("mmd", "text/vnd.mermaid", export::mermaid(&run.scenario, &variant)),
        other => {
            let known = "record, record-html, asyncapi, openapi or mermaid";
            return Err(bad_request(format!("`{other}` is no format; it is {known}")));
        }
    };
    let stem = request.id.rsplit_once('.').map_or(request.id.as_str(), |(stem, _)| stem);
    Ok(FileContents {
        name: format!("{stem}.{ending}"),
        media_type: media_type.into(),
        base64: BASE64_STANDARD.encode(text),
    })
}

pub(super) fn first_problem(check: &ScenarioCheck) -> ApiError {
    let first = check.problems.first();
    bad_request(first.map_or_else(String::new, |p| format!("line {}, column {}: {}", p.line, p.column, p.message)))
}

fn idle(studio: &Studio, id: &str) -> Result<(), ApiError> {
    match studio.0.scenarios.of(id) {
        Some(_) => {
            Err(ApiError { code: "held".into(), message: "This scenario is being run; stop that first.".into() })
        }
        None => Ok(()),
    }
}
