//! What the tests of the command share: the command as it is built, files for it, and tokens.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

/// When the tests' requests come.
pub const NOW: u64 = 1_700_000_000;
pub const ISSUER: &str = "https://issuer.test";

/// What the command said.
#[derive(Debug)]
pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

/// Runs the command, with this on standard input.
pub fn gatehouse(arguments: &[&str], input: &str) -> Said {
    gatehouse_in(".", arguments, input)
}

/// The same, in this folder.
pub fn gatehouse_in(folder: &str, arguments: &[&str], input: &str) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatehouse"));
    command.current_dir(folder).args(arguments).env("NO_COLOR", "1");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Said {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A file of the project.
pub fn project(path: &str) -> String {
    format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))
}

/// A file with this in it; every test names its own.
pub fn file(name: &str, content: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

/// The key set of the key `one`.
pub fn jwks(seed: u8) -> String {
    let point = key(seed).verifying_key().to_sec1_point(false);
    let (x, y) = (
        URL_SAFE_NO_PAD.encode(point.x().unwrap()),
        URL_SAFE_NO_PAD.encode(point.y().unwrap()),
    );
    json!({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "one", "x": x, "y": y}]})
        .to_string()
}

/// A token of the key `one`: ordinary claims, and changes to them.
pub fn token(changes: &Value) -> String {
    signed(&json!({"alg": "ES256", "kid": "one", "typ": "at+jwt"}), changes)
}

/// The same with another header.
pub fn signed(header: &Value, changes: &Value) -> String {
    let mut claims = json!({"iss": ISSUER, "sub": "alice", "aud": "orders", "iat": NOW - 10, "exp": NOW + 300});
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", encode(header), encode(&claims));
    let signature: Signature = key(1).sign(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// A configuration whose provider fetches its keys, behind a rule and services.
pub fn configuration() -> Value {
    json!({
        "providers": {"main": {
            "issuer": ISSUER,
            "audiences": ["orders"],
            "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
            "from_params": ["access_token"],
            "from_cookies": ["session"],
            "remote_jwks": {"http_uri": {"uri": "https://issuer.test/jwks", "cluster": "issuer", "timeout": "2s"}},
            "claim_to_headers": [{"header_name": "x-user-id", "claim_name": "sub"}],
        }},
        "rules": [
            {"match": {"prefix": "/open/"}},
            {"match": {"prefix": "/"}, "requires": {"provider_name": "main"}},
        ],
        "services": {
            "orders": {"prefix": "/orders/", "cluster": "orders", "prefix_rewrite": "/", "timeout": "10s"},
            "web": {"prefix": "/web/", "cluster": "web", "public": true},
        },
    })
}
