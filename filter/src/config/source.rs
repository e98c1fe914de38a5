//! From the host's bytes to a JSON object, whichever of the two forms they have.

use jose::json::{self, Object, Value};

use super::error::{ConfigError, Subject};
use super::structure;

/// Reads JSON text, or else a serialised `google.protobuf.Struct`. The two can't be confused: a `Struct` begins with the
/// tag of its one field, a line feed, and then bytes that are no JSON.
pub(super) fn document(bytes: &[u8]) -> Result<Object, ConfigError> {
    let error = |problem: String| ConfigError {
        path: "configuration".to_owned(),
        problem,
        subject: Subject::Value,
    };
    if bytes.trim_ascii().is_empty() {
        return Err(error(
            "is empty; it must be a JSON object such as {\"providers\": {…}, \"rules\": […]}".to_owned(),
        ));
    }
    let value = match json::parse(bytes) {
        Ok(value) => value,
        Err(json_error) => {
            let text = structure::to_json(bytes)
                .ok_or_else(|| error(format!("is {json_error}; it must be one JSON object")))?;
            json::parse(&text).map_err(|error_in_struct| error(format!("as a Struct: {error_in_struct}")))?
        }
    };
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(error("is JSON, but no object".to_owned())),
    }
}
