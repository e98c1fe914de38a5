//! A story, for people and for machines. Whatever is printed goes through the redactor last.

use std::fmt::Write;

use serde_json::json;

use super::duration::date;
use super::outcome::Ending;
use super::step::{Mark, Step};
use super::{Explained, Outcome};
use crate::paint::{Ink, Paint};

/// The width of the column that says what a line is about.
const WIDTH: usize = 11;

impl Explained {
    pub(crate) fn as_json(&self) -> String {
        let outcome = match self.outcome() {
            Outcome::Passes => "passes",
            Outcome::Refused => "refused",
            Outcome::Waits => "waits",
        };
        let document = json!({
            "request": self.request,
            "now": date(self.now.as_secs()),
            "plugin": self.plugin,
            "steps": self.steps,
            "outcome": outcome,
            "answer": self.ending,
        });
        self.redactor.clean(&format!("{document:#}\n"))
    }

    pub(crate) fn as_text(&self, paint: Paint) -> String {
        let mut text = String::new();
        // Writing into a `String` can't fail.
        let _ = self.write(&mut text, paint);
        self.redactor.clean(&text)
    }

    fn write(&self, text: &mut String, paint: Paint) -> std::fmt::Result {
        let now = format!("{}, {}", self.plugin, date(self.now.as_secs()));
        writeln!(text, "{}  ({now})\n", paint.ink(Ink::Strong, &self.request))?;
        for step in &self.steps {
            one_step(text, step, paint)?;
        }
        if !self.steps.is_empty() {
            writeln!(text)?;
        }
        ending(text, &self.ending, paint)
    }
}

fn one_step(text: &mut String, step: &Step, paint: Paint) -> std::fmt::Result {
    let mark = match step.mark {
        Mark::Note => " ".to_owned(),
        Mark::Good => paint.ink(Ink::Good, "✓"),
        Mark::Bad => paint.ink(Ink::Bad, "✗"),
        Mark::Open => paint.ink(Ink::Doubtful, "?"),
    };
    let about = paint.ink(Ink::Faint, &format!("{:WIDTH$}", step.about));
    writeln!(text, "  {about} {mark} {}", step.text)
}

fn line(text: &mut String, about: &str, said: &str, paint: Paint) -> std::fmt::Result {
    let about = paint.ink(Ink::Faint, &format!("{about:WIDTH$}"));
    writeln!(text, "  {about}   {said}")
}

fn ending(text: &mut String, ending: &Ending, paint: Paint) -> std::fmt::Result {
    match ending {
        Ending::Forward {
            passage,
            subject,
            removed,
            set,
            route,
        } => {
            writeln!(text, "{} ({passage})", paint.ink(Ink::Good, "The request is forwarded"))?;
            if let Some(subject) = subject {
                line(text, "subject", subject, paint)?;
            }
            for name in removed {
                line(text, "removes", name, paint)?;
            }
            for header in set {
                line(text, "sets", &format!("{}: {}", header.name, header.value), paint)?;
            }
            line(text, "route", route, paint)
        }
        Ending::Refuse {
            status,
            code,
            detail,
            challenge,
            allow,
            retry_after_seconds,
            meaning,
            advice,
            page,
            grpc_status,
            ..
        } => {
            let verdict = format!("The request is refused: {status} {code}");
            writeln!(text, "{} (gRPC status {grpc_status})", paint.ink(Ink::Bad, &verdict))?;
            line(text, "says", detail, paint)?;
            if let Some(challenge) = challenge {
                line(text, "challenge", challenge, paint)?;
            }
            if let Some(allow) = allow {
                line(text, "allow", allow, paint)?;
            }
            if let Some(seconds) = retry_after_seconds {
                line(text, "retry after", &format!("{seconds} s"), paint)?;
            }
            line(text, "means", meaning, paint)?;
            line(text, "do", advice, paint)?;
            line(text, "more", &format!("{page}, row {code}"), paint)
        }
        Ending::Answer { status, body } => {
            writeln!(
                text,
                "{}",
                paint.ink(Ink::Good, &format!("The gate answers itself: {status}"))
            )?;
            line(text, "body", body, paint)
        }
        Ending::Wait {
            provider,
            why,
            at_most_seconds,
        } => {
            let verdict = paint.ink(Ink::Doubtful, "The request would wait for keys");
            writeln!(text, "{verdict}: {why}")?;
            line(text, "provider", provider, paint)?;
            line(
                text,
                "at most",
                &format!("{at_most_seconds} s, then 503 keys_unavailable"),
                paint,
            )?;
            line(
                text,
                "to go on",
                &format!("give its key set: --jwks {provider}=FILE"),
                paint,
            )
        }
    }
}
