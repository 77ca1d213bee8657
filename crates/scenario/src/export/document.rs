//! A document of headings, texts, lists, tables and pictures, written as Markdown or as HTML.

use std::fmt::Write as _;

/// A part of a document.
pub(super) enum Block {
    /// Level from 1, and text.
    Heading(u8, String),
    Text(String),
    List(Vec<String>),
    Table(Vec<String>, Vec<Vec<String>>),
    /// SVG, and what it shows. Markdown has the sentence only.
    Picture(String, String),
    /// Code in a language.
    Code(&'static str, String),
}

pub(super) fn markdown(blocks: &[Block]) -> String {
    let mut text = String::new();
    for block in blocks {
        let _ = match block {
            Block::Heading(level, heading) => {
                writeln!(text, "{} {}\n", "#".repeat(usize::from(*level)), line(heading))
            }
            Block::Text(paragraph) => writeln!(text, "{}\n", escaped_markdown(paragraph)),
            Block::List(items) => {
                items.iter().for_each(|item| {
                    let _ = writeln!(text, "* {}", escaped_markdown(item));
                });
                writeln!(text)
            }
            Block::Table(head, rows) => {
                let row =
                    |cells: &[String]| format!("| {} |", cells.iter().map(|c| cell(c)).collect::<Vec<_>>().join(" | "));
                let _ = writeln!(text, "{}\n|{}", row(head), " --- |".repeat(head.len()));
                rows.iter().for_each(|cells| {
                    let _ = writeln!(text, "{}", row(cells));
                });
                writeln!(text)
            }
            Block::Picture(_, says) => writeln!(text, "{}\n", escaped_markdown(says)),
            Block::Code(language, code) => {
                writeln!(text, "```{language}\n{}\n```\n", code.trim_end().replace("```", "'''"))
            }
        };
    }
    text
}

fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// Names of steps may hold what Markdown reads as markup.
fn escaped_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        if matches!(c, '<' | '>' | '*' | '_' | '`' | '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn cell(text: &str) -> String {
    escaped_markdown(text).replace('|', "\\|")
}

/// Text between tags.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A page by itself: no script, nothing fetched, readable in light and dark, printable.
pub(super) fn html(title: &str, blocks: &[Block]) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escaped(title)
    );
    for block in blocks {
        let _ = match block {
            Block::Heading(level, heading) => writeln!(text, "<h{level}>{}</h{level}>", escaped(heading)),
            Block::Text(paragraph) => writeln!(text, "<p>{}</p>", escaped(paragraph)),
            Block::List(items) => {
                let items: String = items.iter().map(|i| format!("<li>{}</li>\n", escaped(i))).collect();
                writeln!(text, "<ul>\n{items}</ul>")
            }
            Block::Table(head, rows) => {
                let cells = |tag: &str, cells: &[String]| -> String {
                    cells.iter().map(|c| format!("<{tag}>{}</{tag}>", escaped(c))).collect()
                };
                let rows: String = rows.iter().map(|r| format!("<tr>{}</tr>\n", cells("td", r))).collect();
                writeln!(
                    text,
                    "<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>",
                    cells("th", head)
                )
            }
            Block::Picture(svg, says) => {
                writeln!(text, "<figure>\n{svg}\n<figcaption>{}</figcaption>\n</figure>", escaped(says))
            }
            Block::Code(_, code) => writeln!(text, "<pre>{}</pre>", escaped(code)),
        };
    }
    text.push_str("</main>\n</body>\n</html>\n");
    text
}

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2430; --paper: #fff; --faint: #68707d; --line: #d8dce3; --a: #2563a8; --b: #b4540a; --c: #2f7d4f; --d: #8a3ea6; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --paper: #14181f; --faint: #98a1b0; --line: #323a47; --a: #6aa9f0; --b: #f0a04b; --c: #6cc492; --d: #c78be0; --bad: #f2786f } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 52rem; margin: 2rem auto; padding: 0 1.5rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem } h3 { font-size: 1rem }
table { border-collapse: collapse; width: 100%; font-size: 14px } th, td { text-align: left; vertical-align: top; padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line) }
figure { margin: 1.5rem 0 } figcaption { color: var(--faint); font-size: 14px } svg { width: 100%; height: auto } svg text { fill: var(--faint); font: 12px system-ui, sans-serif }
pre { overflow: auto; padding: 12px; border: 1px solid var(--line); font-size: 13px }
";
