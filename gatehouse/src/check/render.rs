//! What was found, for people and for machines.

use std::fmt::Write;

use super::{Checked, Examined, Finding, Severity};
use crate::paint::{Ink, Paint, printable};

/// One JSON document about all files.
pub(crate) fn as_json(files: &[Checked]) -> String {
    let sum = |severity| files.iter().map(|file| file.count(severity)).sum::<usize>();
    let document = serde_json::json!({
        "errors": sum(Severity::Error),
        "warnings": sum(Severity::Warning),
        "files": files,
    });
    format!("{document:#}\n")
}

/// Text in the manner of compilers.
pub(crate) fn as_text(files: &[Checked], paint: Paint) -> String {
    let mut text = String::new();
    for file in files {
        // Writing into a `String` can't fail.
        let _ = one_file(&mut text, file, paint);
    }
    text
}

fn one_file(text: &mut String, file: &Checked, paint: Paint) -> std::fmt::Result {
    if let Some(problem) = &file.unreadable {
        let word = paint.ink(Ink::Bad, "error");
        return writeln!(text, "{word}: {} can't be read: {problem}", file.file);
    }
    for finding in &file.findings {
        one_finding(text, &file.file, finding, paint)?;
    }
    for plugin in &file.plugins {
        if plugin.findings.is_empty() {
            let word = paint.ink(Ink::Good, "ok");
            writeln!(text, "{word}: {}: {}", file.file, described(plugin))?;
            continue;
        }
        writeln!(text, "{}: {}\n", file.file, described(plugin))?;
        for finding in &plugin.findings {
            one_finding(text, &file.file, finding, paint)?;
        }
    }
    let (errors, warnings) = (file.count(Severity::Error), file.count(Severity::Warning));
    if errors + warnings > 0 {
        let sum = format!(
            "{}: {}, {}",
            file.file,
            counted(errors, "error"),
            counted(warnings, "warning")
        );
        writeln!(text, "{}", paint.ink(Ink::Strong, &sum))?;
    }
    Ok(())
}

fn one_finding(text: &mut String, file: &str, finding: &Finding, paint: Paint) -> std::fmt::Result {
    let word = match finding.severity {
        Severity::Error => paint.ink(Ink::Bad, "error"),
        Severity::Warning => paint.ink(Ink::Doubtful, "warning"),
    };
    writeln!(text, "{word}: {}", paint.ink(Ink::Strong, &finding.path))?;
    let place = match (finding.line, finding.column) {
        (Some(line), Some(column)) => format!("{file}:{line}:{column}"),
        _ => file.to_owned(),
    };
    writeln!(text, "  {} {place}", paint.ink(Ink::Faint, "-->"))?;
    let bar = paint.ink(Ink::Faint, "|");
    if let Some(found) = &finding.found {
        writeln!(text, "   {bar} {found}")?;
    }
    writeln!(text, "   {} {}\n", paint.ink(Ink::Faint, "="), finding.problem)
}

fn described(plugin: &Examined) -> String {
    let name = if plugin.name.is_empty() {
        String::new()
    } else {
        format!("{}, ", plugin.name)
    };
    let place = if plugin.place.is_empty() {
        String::new()
    } else {
        format!(" at {}", plugin.place)
    };
    printable(&format!("{name}{}{place}", plugin.title))
}

fn counted(number: usize, noun: &str) -> String {
    match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
