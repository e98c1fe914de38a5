//! Tests of the finished program: its commands and its service, each on a database of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "program/command_line.rs"]
mod command_line;
#[path = "program/service.rs"]
mod service;
#[path = "program/support.rs"]
mod support;
