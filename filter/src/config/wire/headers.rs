//! The section `headers` as it is written, for all requests and for one service.

use crate::config::reader::{Fields, Member};

/// `headers`
#[derive(Debug)]
pub(in crate::config) struct Headers {
    pub(in crate::config) path: String,
    pub(in crate::config) profile: Option<String>,
    pub(in crate::config) trusted: Vec<String>,
    pub(in crate::config) request_id: Option<String>,
    pub(in crate::config) rules: HeaderRules,
}

impl Headers {
    pub(in crate::config::wire) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            profile: fields.string("profile"),
            trusted: fields.strings("trusted"),
            request_id: fields.string("request_id"),
            rules: HeaderRules::read(fields),
        }
    }
}

/// What `headers` of a service may say too.
#[derive(Debug, Default)]
pub(in crate::config) struct HeaderRules {
    pub(in crate::config) request: Option<Changes>,
    pub(in crate::config) response: Option<Response>,
}

impl HeaderRules {
    pub(in crate::config::wire) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            request: fields.object("request", Changes::read),
            response: fields.object("response", Response::read),
        }
    }
}

/// What changes in either direction.
#[derive(Debug)]
pub(in crate::config) struct Changes {
    pub(in crate::config) path: String,
    pub(in crate::config) remove: Vec<String>,
    pub(in crate::config) set: Vec<Member>,
    pub(in crate::config) set_if_absent: Vec<Member>,
}

impl Changes {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            remove: fields.strings("remove"),
            set: fields.texts("set"),
            set_if_absent: fields.texts("set_if_absent"),
        }
    }
}

/// `response`
#[derive(Debug)]
pub(in crate::config) struct Response {
    pub(in crate::config) changes: Changes,
    pub(in crate::config) security_headers: Option<SecurityHeaders>,
}

impl Response {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            changes: Changes::read(fields),
            security_headers: fields.switch_or_object(
                "security_headers",
                |on| {
                    if on {
                        SecurityHeaders::Default
                    } else {
                        SecurityHeaders::Off
                    }
                },
                SecurityHeaders::read,
            ),
        }
    }
}

/// `security_headers`
#[derive(Debug)]
pub(in crate::config) enum SecurityHeaders {
    Off,
    Default,
    /// What is said instead of the default, by the fields' names.
    Changed(Vec<(&'static str, String, Option<String>)>),
}

/// The fields of `security_headers`; each is a header's name with other dashes.
pub(in crate::config) const SECURITY_FIELDS: [&str; 7] = [
    "strict_transport_security",
    "x_content_type_options",
    "x_frame_options",
    "referrer_policy",
    "content_security_policy",
    "permissions_policy",
    "cross_origin_opener_policy",
];

impl SecurityHeaders {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self::Changed(
            SECURITY_FIELDS
                .into_iter()
                .map(|name| (name, fields.path_of(name), fields.string(name)))
                .collect(),
        )
    }
}
