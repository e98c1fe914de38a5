//! What the tests of the finished program share: a database, the program, requests to it.

#[path = "../../src/test_support/database.rs"]
pub(crate) mod database;
#[path = "../../src/test_support/proxy.rs"]
pub(crate) mod proxy;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Longer than anything here should take.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const PASSWORD: &str = "alice-demo-password";

/// A key-encryption key in a file, removed when the test ends.
pub(crate) struct KekFile(pub(crate) PathBuf);

impl KekFile {
    pub(crate) fn new(name: &str) -> Self {
        let output = Command::new(env!("CARGO_BIN_EXE_token-issuer"))
            .args(["keys", "generate-kek"])
            .output()
            .unwrap();
        Self::holding(name, &output.stdout)
    }

    pub(crate) fn holding(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("gatehouse-kek-{}-{name}", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for KekFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The program with nothing of this machine's settings.
pub(crate) fn program(arguments: &[&str], database_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_token-issuer"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GATEHOUSE_")) {
        command.env_remove(name);
    }
    command.env("GATEHOUSE_DATABASE_URL", database_url).args(arguments);
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str], database_url: &str, stdin: &str) -> Output {
    let mut child = program(arguments, database_url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs the program, which must succeed, and reads the JSON lines that it prints.
pub(crate) fn answers(arguments: &[&str], database_url: &str, stdin: &str) -> Vec<Value> {
    let output = run(arguments, database_url, stdin);
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A service that runs, stopped when the test ends.
pub(crate) struct Service {
    child: Child,
    log: Arc<Mutex<String>>,
    pub(crate) address: SocketAddr,
}

impl Service {
    /// Starts `serve` on a free port and waits until it says that it serves.
    pub(crate) fn start(database_url: &str, kek: &KekFile, more: &[&str]) -> Self {
        let mut service = Self::launch(database_url, kek, more);
        service.wait_until_serving();
        service
    }

    /// Starts `serve` and does not wait.
    pub(crate) fn launch(database_url: &str, kek: &KekFile, more: &[&str]) -> Self {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
        arguments.extend(more);
        let mut child = program(&arguments, database_url)
            .env("GATEHOUSE_KEY_ENCRYPTION_KEY_FILE", &kek.0)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()), Arc::clone(&log));
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut log = kept.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self {
            child,
            log,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }

    pub(crate) fn wait_until_serving(&mut self) {
        let line = self.wait_for_line("serving");
        self.address = line["listen"].as_str().unwrap().parse().unwrap();
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits for a log line with this message.
    pub(crate) fn wait_for_line(&self, message: &str) -> Value {
        let mut found = None;
        self.wait_until(message, || {
            let log = self.log();
            found = log
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .find(|line| line["message"] == message);
            found.is_some()
        });
        found.unwrap()
    }

    /// Waits until something holds.
    pub(crate) fn wait_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(
                began.elapsed() < PATIENCE,
                "{what} never came; the log:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn terminate(&self) {
        assert!(
            Command::new("kill")
                .args(["-TERM", &self.child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "the service never ended; the log:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        request(self.address, "GET", path, &[], "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Response {
        request(
            self.address,
            "POST",
            path,
            &[("content-type", "application/json")],
            &body.to_string(),
        )
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// One request on a connection of its own.
pub(crate) fn request(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
    )
    .unwrap();
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n").unwrap();
    }
    write!(stream, "content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    read(stream)
}

pub(crate) fn read(mut stream: TcpStream) -> Response {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no HTTP answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Response {
        status,
        body: body.to_owned(),
    }
}
